#include "kernels/reduce.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/elementwise.hpp"
#include "kernels/folds.hpp"
#include "kernels/odometer.hpp"

// Highway compiles what stands before HWY_ONCE once per instruction set. Most loops are plain ones that
// compilers vectorise; the lanes they run over are fixed, so all instruction sets give the same bits. Vectors
// of unknown length cannot be elements of an array, so NEON stands in for them.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/reduce.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/rows-inl.hpp"

#ifndef BACKDROP_KERNELS_REDUCE_LANES
#define BACKDROP_KERNELS_REDUCE_LANES
namespace backdrop::kernels {

// The running state of neighbouring outputs.
struct Lanes {
  static constexpr std::size_t kMax = 512;

  double state[kMax], error[kMax];
};

// Matrices narrower than this are folded several rows at a time.
constexpr std::size_t kWide = 64;

/// Terms of neighbouring outputs: x[r * row + k * column] for r < rows and k < width, folded over r. One of
/// the strides is 1.
struct Matrix {
  std::size_t rows, width, row, column;
};

}  // namespace backdrop::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {

template <class F, class T>
void fold_rows(double* HWY_RESTRICT state, double* HWY_RESTRICT error, const T* HWY_RESTRICT x,
               std::size_t stride, std::size_t rows, std::size_t width) {
  for (std::size_t r = 0; r < rows; ++r, x += stride) {
    for (std::size_t k = 0; k < width; ++k) F::take(state[k], error[k], static_cast<double>(x[k]));
  }
}

template <class F, class T>
void fold_short_columns(double* HWY_RESTRICT state, double* HWY_RESTRICT error, const T* HWY_RESTRICT x,
                        const Matrix& m) {
  for (std::size_t k = 0; k < m.width; ++k, x += m.column) {
    double s = state[k], e = error[k];
    for (std::size_t r = 0; r < m.rows; ++r) F::take(s, e, static_cast<double>(x[r]));
    state[k] = s;
    error[k] = e;
  }
}

/// Narrow matrices (a contiguous row is a matrix of one column) are read as fewer, wider rows, whose parts
/// meet at the end.
template <class F, class T>
void fold_matrix(Lanes& lanes, const T* x, const Matrix& m) {
  if (m.column != 1) return fold_short_columns<F>(lanes.state, lanes.error, x, m);
  std::size_t group = 1;
  if (m.row == m.width) {
    while (2 * group * m.width <= kWide && 2 * group <= m.rows) group *= 2;
  }
  if (group == 1) return fold_rows<F>(lanes.state, lanes.error, x, m.row, m.rows, m.width);
  const std::size_t wide = group * m.width;
  std::fill(lanes.state + m.width, lanes.state + wide, F::kIdentity);
  std::fill(lanes.error + m.width, lanes.error + wide, 0.0);
  fold_rows<F>(lanes.state, lanes.error, x, wide, m.rows / group, wide);
  fold_rows<F>(lanes.state, lanes.error, x + m.rows / group * wide, wide, 1, m.rows % group * m.width);
  for (std::size_t half = wide / 2; half >= m.width; half /= 2) {
    for (std::size_t k = 0; k < half; ++k) {
      F::merge(lanes.state[k], lanes.error[k], lanes.state[half + k], lanes.error[half + k]);
    }
  }
}

/// A contiguous row, where its fold needs no more than a number. False: it was not folded.
template <class T>
bool fold_row(Fold fold, Lanes& lanes, const T* x, std::size_t n) {
  double& state = lanes.state[0];
  if (fold == Fold::max) {
    Greatest::merge(state, lanes.error[0], rows::extreme<1>(x, n), 0);
  } else if (fold == Fold::min) {
    Least::merge(state, lanes.error[0], rows::extreme<-1>(x, n), 0);
  } else if (sizeof(T) == sizeof(float) && (fold == Fold::sum || fold == Fold::mean)) {
    state += rows::sum(x, n);
  } else {
    return false;
  }
  return true;
}

template <class T>
void fold_as(Fold fold, Lanes& lanes, const T* x, const Matrix& m) {
  using Sum = std::conditional_t<sizeof(T) == sizeof(float), SumWide, SumCompensated>;
  if (m.width == 1 && m.row == 1 && fold_row(fold, lanes, x, m.rows)) return;
  switch (fold) {
    case Fold::sum:
    case Fold::mean:
      return fold_matrix<Sum>(lanes, x, m);
    case Fold::norm:
      return fold_matrix<SquaresOf<Sum>>(lanes, x, m);
    case Fold::prod:
      return fold_matrix<Product>(lanes, x, m);
    case Fold::max:
      return fold_matrix<Greatest>(lanes, x, m);
    case Fold::min:
      return fold_matrix<Least>(lanes, x, m);
  }
}

void fold_f32(Fold fold, Lanes& lanes, const float* x, const Matrix& m) { fold_as(fold, lanes, x, m); }
void fold_f64(Fold fold, Lanes& lanes, const double* x, const Matrix& m) { fold_as(fold, lanes, x, m); }

}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backdrop::kernels {
namespace {

HWY_EXPORT(fold_f32);
HWY_EXPORT(fold_f64);

void fold_into(Fold fold, Lanes& lanes, const float* x, const Matrix& m) {
  HWY_DYNAMIC_DISPATCH(fold_f32)(fold, lanes, x, m);
}
void fold_into(Fold fold, Lanes& lanes, const double* x, const Matrix& m) {
  HWY_DYNAMIC_DISPATCH(fold_f64)(fold, lanes, x, m);
}

// Calls f with the fold of terms T.
template <class T, class F>
void with_fold(Fold fold, F&& f) {
  using Sum = std::conditional_t<sizeof(T) == sizeof(float), SumWide, SumCompensated>;
  switch (fold) {
    case Fold::prod:
      return f(Product{});
    case Fold::max:
      return f(Greatest{});
    case Fold::min:
      return f(Least{});
    default:
      return f(Sum{});
  }
}

// Work is cut into pieces of about this many elements ...
constexpr std::size_t kGrain = 32768;
// ... and where there are fewer outputs to share out than kFew, a reduced run into up to kPieces pieces.
constexpr std::size_t kFew = 8;
constexpr std::size_t kPieces = 8;

// Contiguous rows up to this length are folded one by one, many of them side by side.
constexpr std::size_t kShort = 24;

// x as matrices: `kept` places each with `folded` of them, of rows that are reduced and columns that are
// kept.
struct Plan {
  Odometer kept, folded;
  std::size_t rows = 1, columns = 1, row_stride = 1, column_stride = 1;

  void take_rows(const Runs::Run& run) { rows = run.extent, row_stride = run.stride; }
  void take_columns(const Runs::Run& run) { columns = run.extent, column_stride = run.stride; }
};

Plan plan_for(const Shape& shape, AxisSet reduced) {
  Runs runs;  // marked: reduced
  std::size_t stride = 1;
  for (std::size_t k = shape.rank(); k-- > 0;) {
    runs.add_axis(shape[k], stride, reduced[k]);
    stride *= static_cast<std::size_t>(shape[k]);
  }
  Plan plan;
  std::size_t inner = 0;
  if (inner < runs.size() && !runs[inner].marked) plan.take_columns(runs[inner++]);
  if (inner < runs.size()) plan.take_rows(runs[inner++]);
  if (inner == 1 && runs.size() > 1 && plan.rows <= kShort) plan.take_columns(runs[inner++]);
  for (std::size_t k = runs.size(); k-- > inner;) {
    (runs[k].marked ? plan.folded : plan.kept).add_axis(runs[k].extent, runs[k].stride);
  }
  return plan;
}

// The state of outputs [first, first + width).
void clear(Fold fold, Lanes& lanes, std::size_t width) {
  with_fold<float>(fold, [&]<class F>(F) { std::fill_n(lanes.state, width, F::kIdentity); });
  std::fill_n(lanes.error, width, 0.0);
}

template <class T>
void merge(Fold fold, Lanes& into, const Lanes& from, std::size_t width) {
  with_fold<T>(fold, [&]<class F>(F) {
    for (std::size_t k = 0; k < width; ++k) {
      F::merge(into.state[k], into.error[k], from.state[k], from.error[k]);
    }
  });
}

template <class T>
void finish(Fold fold, const Lanes& lanes, std::size_t width, std::size_t terms, T* y) {
  with_fold<T>(fold, [&]<class F>(F) {
    for (std::size_t k = 0; k < width; ++k) {
      double result = F::finish(lanes.state[k], lanes.error[k]);
      if (fold == Fold::mean) result /= static_cast<double>(terms);
      if (fold == Fold::norm) result = std::sqrt(result);
      y[k] = static_cast<T>(result);
    }
  });
}

template <class T>
class Reduction {
 public:
  Reduction(const Eval& e, Fold fold, AxisSet reduced)
      : fold_(fold),
        plan_(plan_for(*e.x[0].shape, reduced)),
        x_(e.x[0].as<const T>()),
        y_(e.y.as<T>()),
        terms_(plan_.folded.count() * plan_.rows) {
    panels_ = (plan_.columns + Lanes::kMax - 1) / Lanes::kMax;
  }

  void run(const Workers& workers) {
    const std::size_t units = plan_.kept.count() * panels_;
    const std::size_t unit_work = terms_ * std::min(plan_.columns, Lanes::kMax);
    if (units < kFew && plan_.folded.count() == 1 && unit_work >= 2 * kGrain) {
      for (std::size_t unit = 0; unit < units; ++unit) fold_in_pieces(unit, unit_work, workers);
      return;
    }
    const std::size_t grain = std::max<std::size_t>(1, kGrain / unit_work);
    workers.for_each(units, grain, [&](std::size_t begin, std::size_t end) {
      Odometer kept = plan_.kept, folded = plan_.folded;
      kept.seek(begin / panels_);

      for (std::size_t unit = begin; unit < end; ++unit) {
        fold_unit(unit_at(unit), x_ + kept.offset(), folded);
        if ((unit + 1) % panels_ == 0) kept.next();
      }
    });
  }

 private:
  // A panel of columns of one kept place.
  struct Unit {
    std::size_t place, column, width;
  };
  Unit unit_at(std::size_t unit) const {
    const std::size_t column = unit % panels_ * Lanes::kMax;
    return {unit / panels_, column, std::min(Lanes::kMax, plan_.columns - column)};
  }

  Matrix matrix(std::size_t rows, std::size_t width) const {
    return {rows, width, plan_.row_stride, plan_.column_stride};
  }

  // `folded` walks once around.
  void fold_unit(const Unit& unit, const T* place, Odometer& folded) const {
    Lanes lanes;
    clear(fold_, lanes, unit.width);
    for (std::size_t n = folded.count(); n > 0; --n, folded.next()) {
      fold_into(fold_, lanes, place + folded.offset() + unit.column * plan_.column_stride,
                matrix(plan_.rows, unit.width));
    }
    store(unit, lanes);
  }

  void fold_in_pieces(std::size_t index, std::size_t work, const Workers& workers) const {
    const Unit unit = unit_at(index);
    Odometer kept = plan_.kept;
    kept.seek(unit.place);
    const T* x = x_ + kept.offset() + unit.column * plan_.column_stride;
    const std::size_t share = std::min(kPieces, work / kGrain);
    const std::size_t rows = (plan_.rows + share - 1) / share;
    const std::size_t pieces = (plan_.rows + rows - 1) / rows;
    Lanes lanes[kPieces];
    workers.for_each(pieces, 1, [&](std::size_t piece, std::size_t) {
      const std::size_t first = piece * rows;
      clear(fold_, lanes[piece], unit.width);
      fold_into(fold_, lanes[piece], x + first * plan_.row_stride,
                matrix(std::min(rows, plan_.rows - first), unit.width));
    });
    for (std::size_t piece = 1; piece < pieces; ++piece) merge<T>(fold_, lanes[0], lanes[piece], unit.width);
    store(unit, lanes[0]);
  }

  void store(const Unit& unit, const Lanes& lanes) const {
    finish(fold_, lanes, unit.width, terms_, y_ + unit.place * plan_.columns + unit.column);
  }

  Fold fold_;
  Plan plan_;
  const T* x_;
  T* y_;
  std::size_t terms_;  // of each output
  std::size_t panels_;
};

// What has fewer elements is not worth cutting.
constexpr std::size_t kLeast = 1024;

// x reduced over leading axes: a matrix whose rows are folded. The state of an output, or of up to kMax
// neighbours of it, are Lanes; in narrow matrices several rows lie side by side there.
class LeadingFold {
 public:
  LeadingFold(Fold fold, const Shape& x, AxisSet reduced) : fold_(fold) {
    while (axes_ < x.rank() && reduced[axes_]) rows_ *= static_cast<std::size_t>(x[axes_++]);
    for (std::size_t k = axes_; k < x.rank(); ++k) columns_ *= static_cast<std::size_t>(x[k]);
    const bool sums = fold == Fold::sum || fold == Fold::mean || fold == Fold::norm;
    if (!sums || reduced.count() != axes_ || rows_ * columns_ < kLeast) axes_ = 0;
    while (2 * beside_ * columns_ <= kWide && 2 * beside_ <= rows_) beside_ *= 2;
  }

  std::size_t axes() const { return axes_; }
  std::size_t fewest() const { return beside_; }
  std::size_t piece() const {
    const std::size_t work = rows_ * std::min(columns_, Lanes::kMax);
    const std::size_t share = std::clamp<std::size_t>(work / kGrain, 1, kPieces);
    const std::size_t multiple = Folding::kTimes * fewest();
    const std::size_t rows = (rows_ + share - 1) / share;
    return std::min((rows + multiple - 1) / multiple * multiple, rows_);
  }
  std::size_t units() const { return (columns_ + Lanes::kMax - 1) / Lanes::kMax; }

  void begin(Lanes& state, std::size_t unit) const { clear(fold_, state, lanes(unit)); }

  template <class T>
  void take(const T* x, std::size_t rows, Lanes& state, std::size_t unit) const {
    if (beside_ == 1) {
      fold_into(fold_, state, x + unit * Lanes::kMax, {rows, lanes(unit), columns_, 1});
      return;
    }
    const std::size_t wide = beside_ * columns_, whole = rows / beside_, rest = rows % beside_ * columns_;
    if (whole > 0) fold_into(fold_, state, x, {whole, wide, wide, 1});
    if (rest > 0) fold_into(fold_, state, x + whole * wide, {1, rest, rest, 1});
  }

  // Of `count` states, the next one `step` behind each.
  template <class T>
  void finish(Lanes* states, std::size_t count, std::size_t step, std::size_t unit, T* y) const {
    for (std::size_t k = 1; k < count; ++k) merge<T>(fold_, states[0], states[k * step], lanes(unit));
    Lanes& all = states[0];
    with_fold<T>(fold_, [&]<class F>(F) {
      for (std::size_t half = beside_ / 2 * columns_; half >= columns_; half /= 2) {
        for (std::size_t k = 0; k < half; ++k) {
          F::merge(all.state[k], all.error[k], all.state[half + k], all.error[half + k]);
        }
      }
    });
    kernels::finish(fold_, all, std::min(lanes(unit), columns_), rows_, y + unit * Lanes::kMax);
  }

  template <class T>
  void run(const T* x, T* y, const Workers& workers) const {
    const std::size_t rows = piece(), pieces = (rows_ + rows - 1) / rows;
    for (std::size_t unit = 0; unit < units(); ++unit) {
      Lanes states[kPieces];
      workers.for_each(pieces, 1, [&](std::size_t k, std::size_t) {
        begin(states[k], unit);
        take(x + k * rows * columns_, std::min(rows, rows_ - k * rows), states[k], unit);
      });
      finish(states, pieces, 1, unit, y);
    }
  }

 private:
  std::size_t lanes(std::size_t unit) const {
    return beside_ > 1 ? beside_ * columns_ : std::min(Lanes::kMax, columns_ - unit * Lanes::kMax);
  }

  Fold fold_;
  std::size_t axes_ = 0, rows_ = 1, columns_ = 1, beside_ = 1;
};

// The reduction of no terms.
template <class T>
void fill_empty(const Eval& e, Fold fold) {
  const double value = fold == Fold::mean   ? std::numeric_limits<double>::quiet_NaN()
                       : fold == Fold::prod ? 1
                                            : 0;
  std::fill_n(e.y.as<T>(), e.y.numel(), static_cast<T>(value));
}

template <class T>
void reduce_as(const Eval& e, Fold fold, AxisSet axes) {
  if (e.x[0].numel() == 0) {
    fill_empty<T>(e, fold);
  } else if (const LeadingFold leading(fold, *e.x[0].shape, axes); leading.axes() > 0) {
    leading.run(e.x[0].as<const T>(), e.y.as<T>(), e.workers);
  } else {
    Reduction<T>(e, fold, axes).run(e.workers);
  }
}

template <class T>
std::size_t first_extreme(const T* x, std::size_t stride, std::size_t count, int sign) {
  std::size_t best = 0;
  for (std::size_t k = 0; k < count; ++k) {
    const T value = x[k * stride];
    if (std::isnan(value)) return k;
    const T held = x[best * stride];
    if (sign > 0 ? value > held : value < held) best = k;
  }
  return best;
}

template <class T>
void arg_extreme_as(const Eval& e, std::size_t axis, int sign) {
  const Shape& shape = *e.x[0].shape;
  const auto count = static_cast<std::size_t>(shape[axis]);
  std::size_t stride = 1;
  for (std::size_t k = axis + 1; k < shape.rank(); ++k) stride *= static_cast<std::size_t>(shape[k]);
  const T* x = e.x[0].as<const T>();
  auto* y = e.y.as<std::int64_t>();
  const std::size_t grain = std::max<std::size_t>(1, kGrain / std::max<std::size_t>(1, count));
  e.workers.for_each(e.y.numel(), grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t k = begin; k < end; ++k) {
      const T* line = x + k / stride * stride * count + k % stride;
      y[k] = static_cast<std::int64_t>(first_extreme(line, stride, count, sign));
    }
  });
}

}  // namespace

AxisSet axis_set(std::span<const std::int64_t> axes) {
  AxisSet set;
  for (std::int64_t axis : axes) set.set(static_cast<std::size_t>(axis));
  return set;
}

AxisSet axes_summed(const Shape& from, const Shape& to) {
  AxisSet set;
  const std::size_t lead = from.rank() - to.rank();
  for (std::size_t k = 0; k < from.rank(); ++k) {
    if (k < lead || (to[k - lead] == 1 && from[k] != 1)) set.set(k);
  }
  return set;
}

void reduce(const Eval& e, Fold fold, AxisSet axes) {
  if (e.y.dtype == DType::f32) {
    reduce_as<float>(e, fold, axes);
  } else {
    reduce_as<double>(e, fold, axes);
  }
}

namespace folding {

std::size_t axes(const Shape& x, AxisSet reduced) { return LeadingFold(Fold::sum, x, reduced).axes(); }
std::size_t fewest(const Shape& x, AxisSet reduced) { return LeadingFold(Fold::sum, x, reduced).fewest(); }
std::size_t piece(const Shape& x, AxisSet reduced) { return LeadingFold(Fold::sum, x, reduced).piece(); }
std::size_t state_bytes(const Shape& x, AxisSet reduced) {
  return LeadingFold(Fold::sum, x, reduced).units() * sizeof(Lanes);
}

void begin(const Call& c, Fold fold, AxisSet reduced, void* state) {
  const LeadingFold leading(fold, c.shape(0), reduced);
  for (std::size_t unit = 0; unit < leading.units(); ++unit)
    leading.begin(static_cast<Lanes*>(state)[unit], unit);
}

void take(const Call& c, Fold fold, AxisSet reduced, const Array& x, void* state) {
  const LeadingFold leading(fold, c.shape(0), reduced);
  std::size_t rows = 1;
  for (std::size_t k = 0; k < leading.axes(); ++k) rows *= static_cast<std::size_t>((*x.shape)[k]);
  with_float(x.dtype, [&]<class T>(T) {
    for (std::size_t unit = 0; unit < leading.units(); ++unit) {
      leading.take(x.as<const T>(), rows, static_cast<Lanes*>(state)[unit], unit);
    }
  });
}

void finish(const Call& c, Fold fold, AxisSet reduced, const Array& y, void* states, std::size_t count) {
  const LeadingFold leading(fold, c.shape(0), reduced);
  with_float(y.dtype, [&]<class T>(T) {
    for (std::size_t unit = 0; unit < leading.units(); ++unit) {
      leading.finish(static_cast<Lanes*>(states) + unit, count, leading.units(), unit, y.as<T>());
    }
  });
}

}  // namespace folding

void arg_extreme(const Eval& e, std::size_t axis, int sign) {
  if (e.x[0].dtype == DType::f32) {
    arg_extreme_as<float>(e, axis, sign);
  } else {
    arg_extreme_as<double>(e, axis, sign);
  }
}

}  // namespace backdrop::kernels
#endif  // HWY_ONCE
