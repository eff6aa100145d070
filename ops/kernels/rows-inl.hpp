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

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include "kernels/math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace rows {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kTerms = 16;

/// The last n < kCount terms, and what changes no fold.
template <class T, std::size_t kCount = kTerms>
struct Rest {
  HWY_INLINE Rest(const T* x, std::size_t n, T nothing) {
    for (std::size_t i = 0; i < kCount; ++i) terms[i] = i < n ? x[i] : nothing;
  }
  T terms[kCount];
};

/// The fold of x[0], ..., x[n - 1], or `nothing`: take(state, v) of vectors, load(place) makes the vectors,
/// take_one(state, term) of numbers.
template <class D, class T, class Load, class Take, class TakeOne>
HWY_INLINE hn::TFromD<D> fold(D d, const T* x, std::size_t n, T nothing, Load load, Take take,
                              TakeOne take_one) {
  constexpr std::size_t kLanes = hn::MaxLanes(D()), kVectors = kTerms / kLanes;
  const std::size_t whole = n / kTerms * kTerms;
  const Rest<T> rest(x + whole, n - whole, nothing);
  hn::Vec<D> states[kVectors];
  for (std::size_t i = 0; i < kVectors; ++i) states[i] = load(rest.terms + i * kLanes);
  for (std::size_t k = 0; k < whole; k += kTerms) {
    for (std::size_t i = 0; i < kVectors; ++i) states[i] = take(states[i], load(x + k + i * kLanes));
  }
  for (std::size_t half = kVectors / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) states[i] = take(states[i], states[half + i]);
  }
  hn::TFromD<D> lanes[kLanes];
  hn::StoreU(states[0], d, lanes);
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) lanes[i] = take_one(lanes[i], lanes[half + i]);
  }
  return lanes[0];
}

/// The vectors in which sums are taken: of f64.
using Wide = hn::CappedTag<double, 8>;

template <class T>
HWY_INLINE hn::Vec<Wide> load_wide(const T* from) {
  const auto v = hn::LoadU(hn::Rebind<T, Wide>(), from);
  if constexpr (sizeof(T) == sizeof(double)) {
    return v;
  } else {
    return hn::PromoteTo(Wide(), v);
  }
}

/// The sum of all lanes of some vectors, in halves.
template <std::size_t n>
HWY_INLINE double together(hn::Vec<Wide> (&states)[n]) {
  constexpr std::size_t kLanes = hn::MaxLanes(Wide());
  for (std::size_t half = n / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) states[i] = hn::Add(states[i], states[half + i]);
  }
  double lanes[kLanes];
  hn::StoreU(states[0], Wide(), lanes);
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[half + i];
  }
  return lanes[0];
}

/// Adds the lanes of v to as many of states[0], states[1].
template <class V>
HWY_INLINE void add_wide(V v, hn::Vec<Wide>* states) {
  using D = hn::DFromV<V>;
  if constexpr (sizeof(hn::TFromD<D>) == sizeof(double)) {
    states[0] = hn::Add(states[0], v);
  } else {
#if HWY_TARGET == HWY_SCALAR
    states[0] = hn::Add(states[0], hn::PromoteTo(Wide(), v));
#else
    states[0] = hn::Add(states[0], hn::PromoteTo(Wide(), hn::LowerHalf(v)));
    states[1] = hn::Add(states[1], hn::PromoteTo(Wide(), hn::UpperHalf(hn::Half<D>(), v)));
#endif
  }
}

/// In f64.
template <class T>
HWY_INLINE double sum(const T* x, std::size_t n) {
  return fold(
      Wide(), x, n, T{0}, [](const T* from) HWY_ATTR { return load_wide(from); },
      [](auto s, auto v) HWY_ATTR { return hn::Add(s, v); }, [](double s, double v) { return s + v; });
}

/// Writes y[k] = f(d, x[k]) and gives the sum of y, in one pass. Pairs are added as they are and their sums
/// in f64, so that of positive terms the relative error is half an ulp of T, however many there are.
template <class T, class F>
HWY_INLINE double map_and_sum(const T* x, T* y, std::size_t n, F f) {
  const hn::CappedTag<T, kTerms> d;
  constexpr std::size_t kLanes = hn::MaxLanes(Wide()), kVectors = kTerms / kLanes;
  const std::size_t whole = n / (2 * kTerms) * 2 * kTerms;
  math::map(x + whole, y + whole, n - whole, f);
  Rest<T> rest(y + whole, std::min(n - whole, kTerms), T{0});
  for (std::size_t k = whole + kTerms; k < n; ++k) rest.terms[k - whole - kTerms] += y[k];
  hn::Vec<Wide> states[kVectors];
  for (std::size_t i = 0; i < kVectors; ++i) states[i] = load_wide(rest.terms + i * kLanes);
  for (std::size_t k = 0; k < whole; k += 2 * kTerms) {
    for (std::size_t i = 0; i < kTerms; i += hn::Lanes(d)) {
      const auto v = f(d, hn::LoadU(d, x + k + i)), w = f(d, hn::LoadU(d, x + k + kTerms + i));
      hn::StoreU(v, d, y + k + i);
      hn::StoreU(w, d, y + k + kTerms + i);
      add_wide(hn::Add(v, w), states + i / kLanes);
    }
  }
  return together(states);
}

/// s + a b for lanes that are numbers of T. Of f32 the product is exact, so that fused or not gives the same
/// bits.
template <class T, class V>
HWY_INLINE V add_product(V s, V a, V b) {
  return sizeof(T) == sizeof(float) ? hn::MulAdd(a, b, s) : hn::Add(s, hn::Mul(a, b));
}

/// Several sums over the pairs a[k], b[k] at once, in f64: take(sums, from_a, from_b) adds a vector of terms
/// to each, made from the elements at two places. A pair of `a_nothing` and `b_nothing` must add nothing. The
/// fewer sums, the more terms of each side by side, lest an addition wait for the one before.
template <std::size_t kSums, class T, class Take>
HWY_INLINE std::array<double, kSums> sums(const T* a, T a_nothing, const T* b, T b_nothing, std::size_t n,
                                          Take take) {
  static_assert((kSums & (kSums - 1)) == 0 && kSums <= 4, "or what stands side by side fills no vectors");
  constexpr std::size_t kBeside = 4 * kTerms / kSums;
  constexpr std::size_t kLanes = hn::MaxLanes(Wide()), kVectors = kBeside / kLanes;
  const std::size_t whole = n / kBeside * kBeside;
  hn::Vec<Wide> states[kVectors][kSums];
  for (auto& state : states) {
    for (auto& sum : state) sum = hn::Zero(Wide());
  }
  for (std::size_t k = 0; k < whole; k += kBeside) {
    for (std::size_t i = 0; i < kVectors; ++i) take(states[i], a + k + i * kLanes, b + k + i * kLanes);
  }
  if (whole < n) {
    const Rest<T, kBeside> a_rest(a + whole, n - whole, a_nothing), b_rest(b + whole, n - whole, b_nothing);
    for (std::size_t i = 0; i < kVectors; ++i) {
      take(states[i], a_rest.terms + i * kLanes, b_rest.terms + i * kLanes);
    }
  }
  std::array<double, kSums> out;
  for (std::size_t s = 0; s < kSums; ++s) {
    hn::Vec<Wide> parts[kVectors];
    for (std::size_t i = 0; i < kVectors; ++i) parts[i] = states[i][s];
    out[s] = together(parts);
  }
  return out;
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
  constexpr std::size_t kSideBySide = 4;  // else each comparison waits for the one before
  const auto take = [](auto s, auto v) HWY_ATTR { return hn::Max(s, v); };
  hn::Vec<decltype(d)> states[kSideBySide];
  for (auto& state : states) state = hn::Set(d, -std::numeric_limits<T>::infinity());
  std::size_t k = 0;
  for (; k + kSideBySide * hn::Lanes(d) <= n; k += kSideBySide * hn::Lanes(d)) {
    for (std::size_t i = 0; i < kSideBySide; ++i) {
      states[i] = take(states[i], hn::LoadU(d, x + k + i * hn::Lanes(d)));
    }
  }
  for (; k + hn::Lanes(d) <= n; k += hn::Lanes(d)) states[0] = take(states[0], hn::LoadU(d, x + k));
  const auto all = take(take(states[0], states[1]), take(states[2], states[3]));
  T greatest = hn::GetLane(hn::MaxOfLanes(d, all));
  for (; k < n; ++k) greatest = x[k] > greatest ? x[k] : greatest;
  return greatest;
}

}  // namespace rows
}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
