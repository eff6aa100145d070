#include "kernels/layer_norm.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/elementwise.hpp"

// Highway compiles what stands before HWY_ONCE once per instruction set. Vectors of unknown length cannot be
// elements of an array, so NEON stands in for them.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layer_norm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/math-inl.hpp"
#include "kernels/rows-inl.hpp"

#ifndef BACKDROP_KERNELS_LAYER_NORM_ROWS
#define BACKDROP_KERNELS_LAYER_NORM_ROWS
namespace backdrop::kernels {

/// Work on rows of n contiguous elements.
template <class T>
struct NormRows {
  void (*norm)(const T* x, T* y, std::size_t rows, std::size_t n, double eps);
  void (*product)(const T* x, const T* v, T* y, std::size_t rows, std::size_t n, double eps);
};

}  // namespace backdrop::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Wide = hn::Vec<rows::Wide>;

struct Statistics {
  double mean, inverse;  // 1 / sqrt(var + eps)
  bool far;              // of the number that deviations were taken from, in standard deviations

  /// From the sums of the deviations from a number, and of their squares.
  HWY_INLINE static Statistics about(double shift, double sum, double squares, double count, double eps) {
    constexpr double kFar = 4;
    const double drift = sum / count, var = squares / count - drift * drift;
    return {shift + drift, 1 / std::sqrt(var + eps), drift * drift > kFar * kFar * var};
  }
};

/// x - shift, rounded in T
template <class T>
HWY_INLINE Wide deviation(const T* x, T shift) {
  const hn::Rebind<T, rows::Wide> d;
  const auto u = hn::Sub(hn::LoadU(d, x), hn::Set(d, shift));
  if constexpr (sizeof(T) == sizeof(double)) {
    return u;
  } else {
    return hn::PromoteTo(rows::Wide(), u);
  }
}

template <class T>
HWY_INLINE Statistics about(const T* x, std::size_t n, T shift, double eps) {
  const auto [sum, squares] =
      rows::sums<2>(x, shift, x, shift, n, [=](Wide* sums, const T* from, const T*) HWY_ATTR {
        const Wide u = deviation(from, shift);
        sums[0] = hn::Add(sums[0], u);
        sums[1] = rows::add_product<T>(sums[1], u, u);
      });
  return Statistics::about(static_cast<double>(shift), sum, squares, static_cast<double>(n), eps);
}

/// From the deviations from the first element, and if that lies far from the mean, from the mean: deviations
/// are rounded in T, and should be no larger than they have to. Of f64 always, for its sums have no digits to
/// lose.
template <class T>
HWY_INLINE Statistics statistics(const T* x, std::size_t n, double eps) {
  const Statistics s = about(x, n, x[0], eps);
  return s.far || sizeof(T) == sizeof(double) ? about(x, n, static_cast<T>(s.mean), eps) : s;
}

/// Calls first(row) for some rows and then second(row, result of first): the end of a sum, a root and a
/// quotient take as long as a hundred elements, and the processor works on another row meanwhile.
template <class First, class Second>
HWY_INLINE void in_two_steps(std::size_t rows, First first, Second second) {
  constexpr std::size_t kAtOnce = 4;
  for (std::size_t begin = 0; begin < rows; begin += kAtOnce) {
    const std::size_t end = std::min(begin + kAtOnce, rows);
    decltype(first(begin)) results[kAtOnce];
    for (std::size_t row = begin; row < end; ++row) results[row - begin] = first(row);
    for (std::size_t row = begin; row < end; ++row) second(row, results[row - begin]);
  }
}

template <class T>
void norm(const T* x, T* y, std::size_t rows, std::size_t n, double eps) {
  in_two_steps(
      rows, [=](std::size_t row) HWY_ATTR { return statistics(x + row * n, n, eps); },
      [=](std::size_t row, const Statistics& s) HWY_ATTR {
        const auto mean = static_cast<T>(s.mean), inverse = static_cast<T>(s.inverse);
        math::map(x + row * n, y + row * n, n, [=](auto d, auto u) HWY_ATTR {
          return hn::Mul(hn::Sub(u, hn::Set(d, mean)), hn::Set(d, inverse));
        });
      });
}

/// The statistics of x, and the means of v and of v y, y = norm(x).
struct Along {
  Statistics x;
  double mean_v, mean_vy;
};

HWY_INLINE Along along_about(const float* x, const float* v, std::size_t n, float shift, double eps) {
  const auto [sum, squares, sum_v, product] =
      rows::sums<4>(x, shift, v, 0.F, n, [=](Wide* sums, const float* from_x, const float* from_v) HWY_ATTR {
        const Wide u = deviation(from_x, shift), w = rows::load_wide(from_v);
        sums[0] = hn::Add(sums[0], u);
        sums[1] = rows::add_product<float>(sums[1], u, u);
        sums[2] = hn::Add(sums[2], w);
        sums[3] = rows::add_product<float>(sums[3], u, w);
      });
  const auto count = static_cast<double>(n);
  const Statistics s = Statistics::about(static_cast<double>(shift), sum, squares, count, eps);
  return {s, sum_v / count, (product - sum / count * sum_v) / count * s.inverse};
}
/// In one pass, as statistics().
HWY_INLINE Along along(const float* x, const float* v, std::size_t n, double eps) {
  const Along a = along_about(x, v, n, x[0], eps);
  return a.x.far ? along_about(x, v, n, static_cast<float>(a.x.mean), eps) : a;
}
HWY_INLINE Along along(const double* x, const double* v, std::size_t n, double eps) {
  const Statistics s = statistics(x, n, eps);
  const auto [sum_v, product] = rows::sums<2>(
      x, s.mean, v, 0., n, [=](Wide* sums, const double* from_x, const double* from_v) HWY_ATTR {
        const Wide w = rows::load_wide(from_v);
        sums[0] = hn::Add(sums[0], w);
        sums[1] = rows::add_product<double>(sums[1], deviation(from_x, s.mean), w);
      });
  const auto count = static_cast<double>(n);
  return {s, sum_v / count, product / count * s.inverse};
}

template <class T>
void product(const T* x, const T* v, T* y, std::size_t rows, std::size_t n, double eps) {
  in_two_steps(
      rows, [=](std::size_t row) HWY_ATTR { return along(x + row * n, v + row * n, n, eps); },
      [=](std::size_t row, const Along& a) HWY_ATTR {
        const auto mean = static_cast<T>(a.x.mean), inverse = static_cast<T>(a.x.inverse);
        const auto mean_v = static_cast<T>(a.mean_v), slope = static_cast<T>(a.mean_vy);
        math::zip(x + row * n, v + row * n, y + row * n, n, [=](auto d, auto u, auto w) HWY_ATTR {
          const auto r = hn::Set(d, inverse);
          const auto z = hn::Mul(hn::Sub(u, hn::Set(d, mean)), r);
          return hn::Mul(hn::Sub(hn::Sub(w, hn::Set(d, mean_v)), hn::Mul(z, hn::Set(d, slope))), r);
        });
      });
}

template <class T>
const NormRows<T>* table() {
  static constexpr NormRows<T> kRows{norm<T>, product<T>};
  return &kRows;
}
const NormRows<float>* norm_rows_f32() { return table<float>(); }
const NormRows<double>* norm_rows_f64() { return table<double>(); }

}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backdrop::kernels {

namespace {

HWY_EXPORT(norm_rows_f32);
HWY_EXPORT(norm_rows_f64);

template <class T>
const NormRows<T>& rows_of() {
  if constexpr (sizeof(T) == sizeof(float)) {
    return *HWY_DYNAMIC_DISPATCH(norm_rows_f32)();
  } else {
    return *HWY_DYNAMIC_DISPATCH(norm_rows_f64)();
  }
}

// Elements that one piece of work computes, about.
constexpr std::size_t kGrain = 16384;

// Calls f(first element, rows, elements of a row) for runs of rows.
template <class F>
void for_each_rows(const Eval& e, std::size_t axes, F f) {
  const Shape& shape = *e.y.shape;
  std::size_t count = 1;
  for (std::size_t k = shape.rank() - axes; k < shape.rank(); ++k) {
    count *= static_cast<std::size_t>(shape[k]);
  }
  const std::size_t grain = std::max<std::size_t>(1, kGrain / count);
  e.workers.for_each(e.y.numel() / count, grain,
                     [&](std::size_t begin, std::size_t end) { f(begin * count, end - begin, count); });
}

}  // namespace

void layer_norm(const Eval& e, std::size_t axes, double eps) {
  with_float(e.y.dtype, [&]<class T>(T) {
    const T* x = e.x[0].as<const T>();
    T* y = e.y.as<T>();
    for_each_rows(e, axes, [&](std::size_t at, std::size_t rows, std::size_t n) {
      rows_of<T>().norm(x + at, y + at, rows, n, eps);
    });
  });
}

void layer_norm_product(const Eval& e, std::size_t axes, double eps) {
  with_float(e.y.dtype, [&]<class T>(T) {
    const T *x = e.x[0].as<const T>(), *v = e.x[1].as<const T>();
    T* y = e.y.as<T>();
    for_each_rows(e, axes, [&](std::size_t at, std::size_t rows, std::size_t n) {
      rows_of<T>().product(x + at, v + at, y + at, rows, n, eps);
    });
  });
}

}  // namespace backdrop::kernels
#endif  // HWY_ONCE
