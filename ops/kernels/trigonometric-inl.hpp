// Sines of vectors, for files that Highway compiles once per instruction set; see math-inl.hpp. The argument
// is reduced with pi/2 in four parts (Cody and Waite 1980), whose products with a small integer are exact;
// where the integer is not small, <cmath> computes the element. Errors stay below 1 ulp for sin and cos, and
// below 2.5 for tan.
#if defined(BACKDROP_KERNELS_TRIGONOMETRIC_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BACKDROP_KERNELS_TRIGONOMETRIC_INL
#undef BACKDROP_KERNELS_TRIGONOMETRIC_INL
#else
#define BACKDROP_KERNELS_TRIGONOMETRIC_INL
#endif

#include <cmath>

#include "kernels/math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace math {

template <class T>
struct Trigonometric;

template <>
struct Trigonometric<float> {
  static constexpr float kFar = 3000;  // quarters of a turn up to there fit into 11 bits
  static constexpr float kQuarter[] = {0x1.922p+0f, -0x1.2ap-18f, -0x1.ddep-27f, -0x1.2e7b96p-40f};  // pi/2
  /// (sin(r) - r) / r^3 and (cos(r) - 1 + r^2 / 2) / r^4 as polynomials in r^2, |r| <= pi/4
  static constexpr float kSin[] = {-0.166666552f, 0.00833218731f, -0.000195178975f};
  static constexpr float kCos[] = {0.0416666456f, -0.00138873095f, 2.44323273e-05f};
};

template <>
struct Trigonometric<double> {
  static constexpr double kFar = 1e6;  // 20 bits
  static constexpr double kQuarter[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69,
                                        0x1.b839a252049c1p-104};
  static constexpr double kSin[] = {-0.1666666666666663,    0.0083333333333218407,   -0.00019841269829358409,
                                    2.7557313538429535e-06, -2.5050734370112954e-08, 1.5895431894984747e-10};
  static constexpr double kCos[] = {0.041666666666666595,    -0.0013888888888873307, 2.4801587288965155e-05,
                                    -2.7557314203036188e-07, 2.087570313114402e-09,  -1.1358616459913228e-11};
};

/// x = quarters pi/2 + r + rest; the two lowest bits of `quarters` are right.
template <class D, class V = hn::Vec<D>>
struct Angle {
  hn::Vec<BitsOf<D>> quarters;
  V r, rest;
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE Angle<D> reduce_angle(D d, V x) {
  using C = Trigonometric<hn::TFromD<D>>;
  const V shift = hn::Set(d, Of<D>::kShift);
  const V shifted = hn::MulAdd(x, hn::Set(d, hn::TFromD<D>(0.6366197723675814)), shift);
  const V n = hn::Sub(shifted, shift);
  const V first = hn::NegMulAdd(n, hn::Set(d, C::kQuarter[0]), x);
  const V second_part = hn::Mul(n, hn::Set(d, C::kQuarter[1]));
  const V second = hn::Sub(first, second_part);
  const V third_part = hn::Mul(n, hn::Set(d, C::kQuarter[2]));
  const V third = hn::Sub(second, third_part);
  const V lost =
      hn::Add(hn::Sub(hn::Sub(first, second), second_part), hn::Sub(hn::Sub(second, third), third_part));
  const V last = hn::NegMulAdd(n, hn::Set(d, C::kQuarter[3]), lost);
  const V r = hn::Add(third, last);
  return {hn::BitCast(BitsOf<D>(), shifted), r, hn::Add(hn::Sub(third, r), last)};
}

template <class V>
struct SinCos {
  V sin, cos;
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE SinCos<V> sin_cos(D d, const Angle<D>& angle) {
  using C = Trigonometric<hn::TFromD<D>>;
  const V one = hn::Set(d, hn::TFromD<D>(1));
  const V r = angle.r, square = hn::Mul(r, r);
  const V half = hn::Mul(square, hn::Set(d, hn::TFromD<D>(0.5)));
  const V near = hn::Sub(one, half);
  const V cubic = hn::Mul(hn::Mul(square, r), polynomial(d, square, C::kSin));
  const V quartic = hn::Mul(hn::Mul(square, square), polynomial(d, square, C::kCos));
  const V lost = hn::Sub(hn::Sub(one, near), half);
  return {hn::Add(r, hn::MulAdd(angle.rest, near, cubic)),
          hn::Add(near, hn::Add(lost, hn::NegMulAdd(r, angle.rest, quartic)))};
}

/// Minus, where bit 1 of `bits` is set
template <class D, class V = hn::Vec<D>>
HWY_INLINE V signed_by(D d, hn::Vec<BitsOf<D>> bits, V y) {
  const BitsOf<D> unsigned_;
  constexpr int kToSign = sizeof(hn::TFromD<D>) * 8 - 2;
  const auto sign = hn::And(hn::ShiftLeft<kToSign>(bits), hn::BitCast(unsigned_, hn::SignBit(d)));
  return hn::BitCast(d, hn::Xor(hn::BitCast(unsigned_, y), sign));
}

/// Where an odd number of quarters is turned
template <class D>
HWY_INLINE hn::Mask<D> odd(D d, hn::Vec<BitsOf<D>> quarters) {
  return hn::RebindMask(d, hn::TestBit(quarters, hn::Set(BitsOf<D>(), 1)));
}

/// y, but f(x) where x is too far from 0, infinite or NaN
template <class T>
HWY_NOINLINE void mend_far(const T* x, T* y, std::size_t n, T (*f)(T)) {
  for (std::size_t k = 0; k < n; ++k) {
    if (!(std::abs(x[k]) < Trigonometric<T>::kFar)) y[k] = f(x[k]);
  }
}

template <class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
HWY_INLINE V mended(D d, V x, V y, T (*f)(T)) {
  if (HWY_LIKELY(hn::AllTrue(d, hn::Lt(hn::Abs(x), hn::Set(d, Trigonometric<T>::kFar))))) return y;
  HWY_ALIGN T arguments[hn::MaxLanes(d)];
  HWY_ALIGN T results[hn::MaxLanes(d)];
  hn::Store(x, d, arguments);
  hn::Store(y, d, results);
  mend_far(arguments, results, hn::Lanes(d), f);
  return hn::Load(d, results);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V sin(D d, V x) {
  using T = hn::TFromD<D>;
  const auto angle = reduce_angle(d, x);
  const auto of_r = sin_cos(d, angle);
  const V size = hn::IfThenElse(odd(d, angle.quarters), of_r.cos, of_r.sin);
  const V y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, signed_by(d, angle.quarters, size));  // -0 for -0
  return mended(
      d, x, y, +[](T v) { return std::sin(v); });
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V cos(D d, V x) {
  using T = hn::TFromD<D>;
  const auto angle = reduce_angle(d, x);
  const auto of_r = sin_cos(d, angle);
  const V size = hn::IfThenElse(odd(d, angle.quarters), of_r.sin, of_r.cos);
  const auto ahead = hn::Add(angle.quarters, hn::Set(BitsOf<D>(), 1));
  return mended(
      d, x, signed_by(d, ahead, size), +[](T v) { return std::cos(v); });
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V tan(D d, V x) {
  using T = hn::TFromD<D>;
  const auto angle = reduce_angle(d, x);
  const auto of_r = sin_cos(d, angle);
  const auto swapped = odd(d, angle.quarters);
  const V over = hn::IfThenElse(swapped, hn::Neg(of_r.cos), of_r.sin);
  const V under = hn::IfThenElse(swapped, of_r.sin, of_r.cos);
  const V y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, hn::Div(over, under));
  return mended(
      d, x, y, +[](T v) { return std::tan(v); });
}

}  // namespace math
}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
