// Sums and extremes of contiguous elements, for files that Highway compiles once per instruction set. Sixteen
// terms are taken side by side and then folded in halves, whatever the width of vectors, so that all
// instruction sets give the same bits.
#if defined(BACKDROP_KERNELS_ROWS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BACKDROP_KERNELS_ROWS_INL
#undef BACKDROP_KERNELS_ROWS_INL
#else
#define BACKDROP_KERNELS_ROWS_INL
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace rows {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kTerms = 16;

/// The fold of `first` and x[0], ..., x[n - 1]: take(state, v) of vectors, load(place) makes the vectors,
/// take_one(state, term) of numbers.
template <class D, class T, class Load, class Take, class TakeOne>
HWY_INLINE hn::TFromD<D> fold(D d, const T* x, std::size_t n, hn::TFromD<D> first, Load load, Take take,
                              TakeOne take_one) {
  using State = hn::TFromD<D>;
  constexpr std::size_t kVectors = kTerms / hn::MaxLanes(D());
  const std::size_t lanes = hn::Lanes(d);
  hn::Vec<D> states[kVectors];
  for (auto& s : states) s = hn::Set(d, first);
  std::size_t k = 0;
  for (; k + kTerms <= n; k += kTerms) {
    for (std::size_t i = 0; i < kVectors; ++i) states[i] = take(states[i], load(x + k + i * lanes));
  }
  State terms[kTerms];
  for (std::size_t i = 0; i < kVectors; ++i) hn::StoreU(states[i], d, terms + i * lanes);
  for (std::size_t i = 0; k < n; ++k, ++i) terms[i] = take_one(terms[i], static_cast<State>(x[k]));
  for (std::size_t half = kTerms / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) terms[i] = take_one(terms[i], terms[half + i]);
  }
  return terms[0];
}

/// The vectors in which sums are taken: of f64.
using Wide = hn::CappedTag<double, 4>;

template <class T>
HWY_INLINE hn::Vec<Wide> load_wide(const T* from) {
  const auto v = hn::LoadU(hn::Rebind<T, Wide>(), from);
  if constexpr (sizeof(T) == sizeof(double)) {
    return v;
  } else {
    return hn::PromoteTo(Wide(), v);
  }
}

/// In f64.
template <class T>
HWY_INLINE double sum(const T* x, std::size_t n) {
  return fold(
      Wide(), x, n, 0.0, [](const T* from) HWY_ATTR { return load_wide(from); },
      [](auto s, auto v) HWY_ATTR { return hn::Add(s, v); }, [](double s, double v) { return s + v; });
}

struct Moments {
  double sum, product;
};

/// The sums of a[k] - a0 and of (a[k] - a0)(b[k] - b0), in f64.
template <class T>
HWY_INLINE Moments moments(const T* a, double a0, const T* b, double b0, std::size_t n) {
  constexpr Wide d;
  constexpr std::size_t kVectors = kTerms / hn::MaxLanes(d);
  const std::size_t lanes = hn::Lanes(d);
  hn::Vec<Wide> sums[kVectors], products[kVectors];
  for (auto& s : sums) s = hn::Zero(d);
  for (auto& s : products) s = hn::Zero(d);
  const auto a_zero = hn::Set(d, a0), b_zero = hn::Set(d, b0);
  std::size_t k = 0;
  for (; k + kTerms <= n; k += kTerms) {
    for (std::size_t i = 0; i < kVectors; ++i) {
      const auto u = hn::Sub(load_wide(a + k + i * lanes), a_zero);
      const auto v = hn::Sub(load_wide(b + k + i * lanes), b_zero);
      sums[i] = hn::Add(sums[i], u);
      products[i] = hn::Add(products[i], hn::Mul(u, v));
    }
  }
  Moments terms[kTerms];
  for (std::size_t i = 0; i < kVectors; ++i) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      terms[i * lanes + lane] = {hn::ExtractLane(sums[i], lane), hn::ExtractLane(products[i], lane)};
    }
  }
  for (std::size_t i = 0; k < n; ++k, ++i) {
    const double u = static_cast<double>(a[k]) - a0, v = static_cast<double>(b[k]) - b0;
    terms[i] = {terms[i].sum + u, terms[i].product + u * v};
  }
  for (std::size_t half = kTerms / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) {
      terms[i].sum += terms[half + i].sum;
      terms[i].product += terms[half + i].product;
    }
  }
  return terms[0];
}

/// The greatest (sign 1) or least (sign -1) element, or NaN if one is; of none, the infinity that any other
/// beats.
template <int kSign, class T>
T extreme(const T* x, std::size_t n) {
  const hn::CappedTag<T, kTerms> d;
  const auto take = [](auto s, auto v) HWY_ATTR {
    const auto better = kSign > 0 ? hn::Gt(v, s) : hn::Lt(v, s);
    return hn::IfThenElse(hn::Or(better, hn::Not(hn::Eq(v, v))), v, s);
  };
  const auto take_one = [](T s, T v) { return (kSign > 0 ? v > s : v < s) || v != v ? v : s; };
  return fold(
      d, x, n, -kSign * std::numeric_limits<T>::infinity(),
      [d](const T* from) HWY_ATTR { return hn::LoadU(d, from); }, take, take_one);
}

/// The greatest element where none is NaN, else any number or NaN; of none, -Inf.
template <class T>
T greatest_number(const T* x, std::size_t n) {
  const hn::CappedTag<T, kTerms> d;
  return fold(
      d, x, n, -std::numeric_limits<T>::infinity(),
      [d](const T* from) HWY_ATTR { return hn::LoadU(d, from); },
      [](auto s, auto v) HWY_ATTR { return hn::Max(s, v); }, [](T s, T v) { return v > s ? v : s; });
}

}  // namespace rows
}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
