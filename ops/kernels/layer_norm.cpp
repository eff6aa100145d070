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

/// Work on a row of n contiguous elements.
template <class T>
struct NormRows {
  void (*norm)(const T* x, T* y, std::size_t n, double eps);
  void (*product)(const T* x, const T* v, T* y, std::size_t n, double eps);
};

}  // namespace backdrop::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Wide = hn::Vec<rows::Wide>;

struct Statistics {
  double mean, inverse;  // 1 / sqrt(var + eps)

  /// From the sums of the deviations from a number near the mean, and of their squares.
  HWY_INLINE static Statistics about(double shift, double sum, double squares, double count, double eps) {
    const double drift = sum / count;
    return {shift + drift, 1 / std::sqrt(squares / count - drift * drift + eps)};
  }
};

template <class T>
HWY_INLINE Statistics about(const T* x, std::size_t n, T shift, double eps) {
  const auto zero = hn::Set(rows::Wide(), static_cast<double>(shift));
  const auto [sum, squares] = rows::sums<2>(x, shift, x, shift, n, [=](const T* from, const T*) HWY_ATTR {
    const Wide u = hn::Sub(rows::load_wide(from), zero);
    return std::array<Wide, 2>{u, hn::Mul(u, u)};
  });
  return Statistics::about(static_cast<double>(shift), sum, squares, static_cast<double>(n), eps);
}

/// Of f32 from the deviations from the first element: no element lies further from the mean than sqrt(n)
/// standard deviations, and f64 has digits enough to take that off again.
template <class T>
HWY_INLINE Statistics statistics(const T* x, std::size_t n, double eps) {
  const Statistics s = about(x, n, x[0], eps);
  return sizeof(T) == sizeof(float) ? s : about(x, n, static_cast<T>(s.mean), eps);
}

template <class T>
void norm(const T* x, T* y, std::size_t n, double eps) {
  const Statistics s = statistics(x, n, eps);
  const auto mean = static_cast<T>(s.mean), inverse = static_cast<T>(s.inverse);
  math::map(x, y, n, [=](auto d, auto u) HWY_ATTR {
    return hn::Mul(hn::Sub(u, hn::Set(d, mean)), hn::Set(d, inverse));
  });
}

/// The statistics of x, and the means of v and of v y, y = norm(x).
struct Along {
  Statistics x;
  double mean_v, mean_vy;
};

/// In one pass; digits are lost and are there to be lost as in statistics().
HWY_INLINE Along along(const float* x, const float* v, std::size_t n, double eps) {
  const auto zero = hn::Set(rows::Wide(), static_cast<double>(x[0]));
  const auto [sum, squares, sum_v, product] =
      rows::sums<4>(x, x[0], v, 0.F, n, [=](const float* from_x, const float* from_v) HWY_ATTR {
        const Wide u = hn::Sub(rows::load_wide(from_x), zero), w = rows::load_wide(from_v);
        return std::array<Wide, 4>{u, hn::Mul(u, u), w, hn::Mul(u, w)};
      });
  const auto count = static_cast<double>(n);
  const Statistics s = Statistics::about(static_cast<double>(x[0]), sum, squares, count, eps);
  return {s, sum_v / count, (product - sum / count * sum_v) / count * s.inverse};
}
HWY_INLINE Along along(const double* x, const double* v, std::size_t n, double eps) {
  const Statistics s = statistics(x, n, eps);
  const auto mean = hn::Set(rows::Wide(), s.mean);
  const auto [sum_v, product] =
      rows::sums<2>(x, s.mean, v, 0., n, [=](const double* from_x, const double* from_v) HWY_ATTR {
        const Wide w = rows::load_wide(from_v);
        return std::array<Wide, 2>{w, hn::Mul(hn::Sub(rows::load_wide(from_x), mean), w)};
      });
  const auto count = static_cast<double>(n);
  return {s, sum_v / count, product / count * s.inverse};
}

template <class T>
void product(const T* x, const T* v, T* y, std::size_t n, double eps) {
  const Along a = along(x, v, n, eps);
  const auto mean = static_cast<T>(a.x.mean), inverse = static_cast<T>(a.x.inverse);
  const auto mean_v = static_cast<T>(a.mean_v), slope = static_cast<T>(a.mean_vy);
  math::zip(x, v, y, n, [=](auto d, auto u, auto w) HWY_ATTR {
    const auto r = hn::Set(d, inverse);
    const auto z = hn::Mul(hn::Sub(u, hn::Set(d, mean)), r);
    return hn::Mul(hn::Sub(hn::Sub(w, hn::Set(d, mean_v)), hn::Mul(z, hn::Set(d, slope))), r);
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

// Calls f(first element, number of elements) for every row.
template <class F>
void for_each_row(const Eval& e, std::size_t axes, F f) {
  const Shape& shape = *e.y.shape;
  std::size_t count = 1;
  for (std::size_t k = shape.rank() - axes; k < shape.rank(); ++k) {
    count *= static_cast<std::size_t>(shape[k]);
  }
  const std::size_t grain = std::max<std::size_t>(1, kGrain / count);
  e.workers.for_each(e.y.numel() / count, grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) f(row * count, count);
  });
}

}  // namespace

void layer_norm(const Eval& e, std::size_t axes, double eps) {
  with_float(e.y.dtype, [&]<class T>(T) {
    const T* x = e.x[0].as<const T>();
    T* y = e.y.as<T>();
    const NormRows<T>& rows = rows_of<T>();
    for_each_row(e, axes, [&](std::size_t at, std::size_t n) { rows.norm(x + at, y + at, n, eps); });
  });
}

void layer_norm_product(const Eval& e, std::size_t axes, double eps) {
  with_float(e.y.dtype, [&]<class T>(T) {
    const T *x = e.x[0].as<const T>(), *v = e.x[1].as<const T>();
    T* y = e.y.as<T>();
    const NormRows<T>& rows = rows_of<T>();
    for_each_row(e, axes,
                 [&](std::size_t at, std::size_t n) { rows.product(x + at, v + at, y + at, n, eps); });
  });
}

}  // namespace backdrop::kernels
#endif  // HWY_ONCE
