#include "kernels/softmax.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/elementwise.hpp"
#include "kernels/odometer.hpp"

// Highway compiles what stands before HWY_ONCE once per instruction set. Vectors of unknown length cannot be
// elements of an array, so NEON stands in for them.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/math-inl.hpp"
#include "kernels/rows-inl.hpp"

#ifndef BACKDROP_KERNELS_SOFTMAX_ROWS
#define BACKDROP_KERNELS_SOFTMAX_ROWS
namespace backdrop::kernels {

/// Work on rows of n contiguous elements.
template <class T>
struct Rows {
  T (*greatest)(const T* x, std::size_t n);                 ///< NaN if one is
  std::size_t (*find)(const T* x, T value, std::size_t n);  ///< the first place of the value, or 0
  void (*softmax)(const T* x, T* y, std::size_t n);
  /// The sum without element `left_out`.
  double (*sum_without)(const T* x, std::size_t n, std::size_t left_out);
  void (*scale)(const T* x, T factor, T* y, std::size_t n);
  /// The sum of e^(x - shift) without that of element `left_out`.
  double (*sum_of_exps)(const T* x, std::size_t n, T shift, std::size_t left_out);
};

}  // namespace backdrop::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
std::size_t find(const T* x, T value, std::size_t n) {
  const hn::ScalableTag<T> d;
  const auto wanted = hn::Set(d, value);
  std::size_t k = 0;
  for (; k + hn::Lanes(d) <= n; k += hn::Lanes(d)) {
    const auto found = hn::Eq(hn::LoadU(d, x + k), wanted);
    if (!hn::AllFalse(d, found)) return k + static_cast<std::size_t>(hn::FindFirstTrue(d, found));
  }
  for (; k < n; ++k) {
    if (x[k] == value) return k;
  }
  return 0;
}

/// e^(x - shift). No lambda: it must be inlined wherever it is used, or its constants are loaded for every
/// vector.
template <class T>
struct ExpOfDifference {
  T shift;

  template <class D, class V>
  HWY_INLINE V operator()(D d, V v) const {
    return math::exp(d, hn::Sub(v, hn::Set(d, shift)));
  }
};

template <class T>
void scale(const T* x, T factor, T* y, std::size_t n) {
  math::map(x, y, n, [factor](auto d, auto v) HWY_ATTR { return hn::Mul(v, hn::Set(d, factor)); });
}

// A NaN makes all of the row NaN by way of the sum.
template <class T>
void softmax(const T* x, T* y, std::size_t n) {
  const double sum = rows::map_and_sum(x, y, n, ExpOfDifference<T>{rows::greatest_number(x, n)});
  scale(y, static_cast<T>(1 / sum), y, n);
}

// Where the element is most of the sum, the others are added up by themselves.
template <class T>
double sum_without(const T* x, std::size_t n, std::size_t left_out) {
  const double sum = rows::sum(x, n), own = static_cast<double>(x[left_out]);
  if (own < sum / 2) return sum - own;
  return rows::sum(x, left_out) + rows::sum(x + left_out + 1, n - left_out - 1);
}

template <class T>
double sum_of_exps(const T* x, std::size_t n, T shift, std::size_t left_out) {
  constexpr std::size_t kChunk = 512;
  T exps[kChunk];
  double total = 0;
  for (std::size_t first = 0; first < n; first += kChunk) {
    const std::size_t count = std::min(kChunk, n - first);
    const double sum = rows::map_and_sum(x + first, exps, count, ExpOfDifference<T>{shift});
    if (left_out < first || left_out - first >= count) {
      total += sum;
    } else {
      exps[left_out - first] = 0;
      total += rows::sum(exps, count);
    }
  }
  return total;
}

template <class T>
const Rows<T>* table() {
  static constexpr Rows<T> kRows{rows::extreme<1, T>, find<T>,  softmax<T>,
                                 sum_without<T>,      scale<T>, sum_of_exps<T>};
  return &kRows;
}
const Rows<float>* rows_f32() { return table<float>(); }
const Rows<double>* rows_f64() { return table<double>(); }

}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backdrop::kernels {

namespace {

HWY_EXPORT(rows_f32);
HWY_EXPORT(rows_f64);

template <class T>
const Rows<T>& rows_of() {
  if constexpr (sizeof(T) == sizeof(float)) {
    return *HWY_DYNAMIC_DISPATCH(rows_f32)();
  } else {
    return *HWY_DYNAMIC_DISPATCH(rows_f64)();
  }
}

// Exponentials that one piece of work computes, about.
constexpr std::size_t kGrain = 4096;

std::size_t grain_for(std::size_t line) {
  return std::max<std::size_t>(1, kGrain / std::max<std::size_t>(1, line));
}

// The first greatest of `count` elements. Where there is a NaN, any of them: the results are NaN.
template <class T>
struct Peak {
  std::size_t at;
  T value;
};

template <class T>
Peak<T> peak_of(const T* x, std::size_t stride, std::size_t count) {
  if (stride == 1) {
    const T value = rows_of<T>().greatest(x, count);
    return {rows_of<T>().find(x, value, count), value};
  }
  Peak<T> peak{0, x[0]};
  for (std::size_t k = 0; k < count; ++k) {
    const T value = x[k * stride];
    if (value > peak.value || std::isnan(value)) peak = {k, value};
  }
  return peak;
}

// log(1 + the other terms of the sum of e^(x - peak)): small sums keep all their digits. NaN where the peak
// is infinite, as e^(peak - peak) is no 1 then.
template <class T>
double log_sum(const T* x, std::size_t stride, std::size_t count, Peak<T> peak) {
  double others = static_cast<double>(peak.value - peak.value);
  if (stride == 1) return std::log1p(others + rows_of<T>().sum_of_exps(x, count, peak.value, peak.at));
  for (std::size_t k = 0; k < count; ++k) {
    if (k != peak.at) others += static_cast<double>(std::exp(x[k * stride] - peak.value));
  }
  return std::log1p(others);
}

// Lines whose elements do not lie side by side are gathered, a few at a time so that what the cache brings
// along is used, and then are rows like others. Longer ones than this are walked as they lie.
constexpr std::size_t kGathered = 4096;
constexpr std::size_t kLines = 16;

// Lines that are gathered at once; 0 for none.
std::size_t lines_at_once(std::size_t count) { return std::min(kLines, kGathered / count); }

// Calls f(x, y, stride, count) for every line along the axis, where elements are `stride` apart.
template <class T, class F>
void for_each_line(const Eval& e, std::size_t axis, F f) {
  const Shape& shape = *e.x[0].shape;
  const auto count = static_cast<std::size_t>(shape[axis]);
  if (e.x[0].numel() == 0) return;
  std::size_t stride = 1;
  for (std::size_t k = axis + 1; k < shape.rank(); ++k) stride *= static_cast<std::size_t>(shape[k]);
  const T* x = e.x[0].as<const T>();
  T* y = e.y.as<T>();
  e.workers.for_each(e.x[0].numel() / count, grain_for(count), [&](std::size_t begin, std::size_t end) {
    const auto first_of = [=](std::size_t line) { return line / stride * stride * count + line % stride; };
    const std::size_t at_once = stride == 1 ? 0 : lines_at_once(count);
    if (at_once == 0) {
      for (std::size_t line = begin; line < end; ++line) {
        f(x + first_of(line), y + first_of(line), stride, count);
      }
      return;
    }
    T rows[kGathered];
    std::size_t first[kLines];
    for (std::size_t line = begin; line < end; line += at_once) {
      const std::size_t lines = std::min(at_once, end - line);
      for (std::size_t i = 0; i < lines; ++i) first[i] = first_of(line + i);
      for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t i = 0; i < lines; ++i) rows[i * count + k] = x[first[i] + k * stride];
      }
      for (std::size_t i = 0; i < lines; ++i) f(rows + i * count, rows + i * count, 1, count);
      for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t i = 0; i < lines; ++i) y[first[i] + k * stride] = rows[i * count + k];
      }
    }
  });
}

template <class T>
void softmax_line(const T* x, T* y, std::size_t stride, std::size_t count) {
  if (stride == 1) return rows_of<T>().softmax(x, y, count);
  const T peak = peak_of(x, stride, count).value;
  double sum = 0;
  for (std::size_t k = 0; k < count; ++k) {
    y[k * stride] = std::exp(x[k * stride] - peak);
    sum += static_cast<double>(y[k * stride]);
  }
  const T factor = static_cast<T>(1 / sum);
  for (std::size_t k = 0; k < count; ++k) y[k * stride] *= factor;
}

template <class T>
void log_softmax_line(const T* x, T* y, std::size_t stride, std::size_t count) {
  const Peak<T> peak = peak_of(x, stride, count);
  const T log_total = static_cast<T>(log_sum(x, stride, count, peak));
  for (std::size_t k = 0; k < count; ++k) y[k * stride] = (x[k * stride] - peak.value) - log_total;
}

// Outputs and, for each of them, the terms: offsets into x.
struct Terms {
  Odometer outputs, terms;
};

Terms terms_of(const Shape& shape, AxisSet axes) {
  Runs runs;  // marked: reduced
  std::size_t stride = 1;
  for (std::size_t k = shape.rank(); k-- > 0;) {
    runs.add_axis(shape[k], stride, axes[k]);
    stride *= static_cast<std::size_t>(shape[k]);
  }
  Terms terms;
  for (std::size_t k = runs.size(); k-- > 0;) {
    (runs[k].marked ? terms.terms : terms.outputs).add_axis(runs[k].extent, runs[k].stride);
  }
  return terms;
}

// `terms` walks around twice.
template <class T>
T log_sum_exp(const T* x, Odometer& terms) {
  Peak<T> peak{0, x[0]};
  for (std::size_t k = 0; k < terms.count(); ++k, terms.next()) {
    const T value = x[terms.offset()];
    if (value > peak.value || std::isnan(value)) peak = {k, value};
  }
  double others = 0;
  for (std::size_t k = 0; k < terms.count(); ++k, terms.next()) {
    if (k != peak.at) others += static_cast<double>(std::exp(x[terms.offset()] - peak.value));
  }
  if (!std::isfinite(peak.value)) return peak.value;
  return static_cast<T>(static_cast<double>(peak.value) + std::log1p(others));
}

template <class T>
T log_sum_exp_of_row(const T* x, std::size_t count) {
  const Peak<T> peak = peak_of(x, 1, count);
  if (!std::isfinite(peak.value)) return peak.value;
  return static_cast<T>(static_cast<double>(peak.value) + log_sum(x, 1, count, peak));
}

// Outputs [begin, end), whose terms are gathered.
template <class T>
void log_sum_exps(const T* x, T* y, const Terms& all, std::size_t begin, std::size_t end) {
  Odometer output = all.outputs, terms = all.terms;
  output.seek(begin);
  const std::size_t count = terms.count(), at_once = lines_at_once(count);
  T rows[kGathered];
  std::size_t first[kLines];
  for (std::size_t k = begin; k < end; k += at_once) {
    const std::size_t lines = std::min(at_once, end - k);
    for (std::size_t i = 0; i < lines; ++i, output.next()) first[i] = output.offset();
    for (std::size_t t = 0; t < count; ++t, terms.next()) {
      for (std::size_t i = 0; i < lines; ++i) rows[i * count + t] = x[first[i] + terms.offset()];
    }
    for (std::size_t i = 0; i < lines; ++i) y[k + i] = log_sum_exp_of_row(rows + i * count, count);
  }
}

bool last_axes(const Shape& shape, AxisSet axes) {
  std::size_t kept = shape.rank();
  while (kept > 0 && axes[kept - 1]) --kept;
  return axes.count() == shape.rank() - kept;
}

std::size_t checked_label(const Eval& e, std::size_t row, std::size_t classes) {
  const Array& labels = e.x[1];
  const std::int64_t label = labels.as<const std::int64_t>()[row];
  if (label >= 0 && static_cast<std::size_t>(label) < classes) return static_cast<std::size_t>(label);
  throw ValueError("cross_entropy: label " + std::to_string(label) + " at index " +
                   std::to_string(e.before(labels) + row) + " is not within [0, " + std::to_string(classes) +
                   ")");
}

// Calls f(row, its label) for the rows of x[0] and the labels x[1].
template <class F>
void for_each_label(const Eval& e, F f) {
  const auto rows = static_cast<std::size_t>((*e.x[0].shape)[0]);
  const auto classes = static_cast<std::size_t>((*e.x[0].shape)[1]);
  e.workers.for_each(rows, grain_for(classes), [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) f(row, checked_label(e, row, classes));
  });
}

// log(sum / p[at]): small ones keep all their digits.
template <class T>
double log_of_inverse(const T* p, std::size_t count, std::size_t at) {
  return std::log1p(rows_of<T>().sum_without(p, count, at) / static_cast<double>(p[at]));
}

}  // namespace

void softmax(const Eval& e, std::size_t axis) {
  with_float(e.y.dtype, [&]<class T>(T) { for_each_line<T>(e, axis, softmax_line<T>); });
}

void log_softmax(const Eval& e, std::size_t axis) {
  with_float(e.y.dtype, [&]<class T>(T) { for_each_line<T>(e, axis, log_softmax_line<T>); });
}

void logsumexp(const Eval& e, AxisSet axes) {
  if (e.y.numel() == 0) return;
  const Terms all = terms_of(*e.x[0].shape, axes);
  const bool rows = last_axes(*e.x[0].shape, axes);
  const std::size_t count = all.terms.count();
  with_float(e.y.dtype, [&]<class T>(T) {
    const T* x = e.x[0].as<const T>();
    T* y = e.y.as<T>();
    e.workers.for_each(all.outputs.count(), grain_for(count), [&](std::size_t begin, std::size_t end) {
      if (rows) {
        for (std::size_t k = begin; k < end; ++k) y[k] = log_sum_exp_of_row(x + k * count, count);
        return;
      }
      if (lines_at_once(count) > 0) return log_sum_exps(x, y, all, begin, end);
      Odometer output = all.outputs, terms = all.terms;
      output.seek(begin);
      for (std::size_t k = begin; k < end; ++k, output.next()) {
        y[k] = log_sum_exp(x + output.offset(), terms);
      }
    });
  });
}

void label_loss(const Eval& e) {
  with_float(e.y.dtype, [&]<class T>(T) {
    const auto count = static_cast<std::size_t>((*e.x[0].shape)[1]);
    T* y = e.y.as<T>();
    for_each_label(e, [&](std::size_t row, std::size_t label) {
      const T* p = e.x[0].as<const T>() + row * count;
      if (p[label] >= std::numeric_limits<T>::min()) {
        y[row] = static_cast<T>(log_of_inverse(p, count, label));
        return;
      }
      const T* x = e.x[2].as<const T>() + row * count;
      const Peak<T> peak = peak_of(x, 1, count);
      const auto distance = static_cast<double>(peak.value - x[label]);
      y[row] = static_cast<T>(distance + log_of_inverse(p, count, peak.at));
    });
  });
}

void label_excess(const Eval& e, double factor) {
  with_float(e.y.dtype, [&]<class T>(T) {
    const auto count = static_cast<std::size_t>((*e.x[0].shape)[1]);
    const T* g = e.x[2].as<const T>();
    for_each_label(e, [&](std::size_t row, std::size_t label) {
      const T* p = e.x[0].as<const T>() + row * count;
      T* y = e.y.as<T>() + row * count;
      const T weight = g[row] * static_cast<T>(factor);
      rows_of<T>().scale(p, weight, y, count);
      y[label] = (p[label] - 1) * weight;
    });
  });
}

}  // namespace backdrop::kernels
#endif  // HWY_ONCE
