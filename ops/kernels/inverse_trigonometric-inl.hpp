// Angles of vectors, for files that Highway compiles once per instruction set; see math-inl.hpp. What is left
// of an angle after a quarter of a turn is x + x^3 P(x^2), where the coefficients of P are minimax ones of
// our own (Remez, for the relative error of the sum). Errors stay below 1.5 ulp.
#if defined(BACKDROP_KERNELS_INVERSE_TRIGONOMETRIC_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BACKDROP_KERNELS_INVERSE_TRIGONOMETRIC_INL
#undef BACKDROP_KERNELS_INVERSE_TRIGONOMETRIC_INL
#else
#define BACKDROP_KERNELS_INVERSE_TRIGONOMETRIC_INL
#endif

#include "kernels/math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace math {

template <class T>
struct InverseTrigonometric;

template <>
struct InverseTrigonometric<float> {
  static constexpr float kQuarter = 0x1.921fb6p+0f, kQuarterLow = -0x1.777a5cp-25f;  // pi/2
  /// (asin(x) - x) / x^3 as a polynomial in x^2, |x| <= 1/2
  static constexpr float kAsin[] = {0.166667536f, 0.0749524161f, 0.0454771072f, 0.024147572f, 0.0422186106f};
  /// (atan(x) - x) / x^3 as a polynomial in x^2, |x| <= 1
  static constexpr float kAtan[] = {-0.333332986f,  0.199985489f,   -0.142642424f,
                                    0.109521866f,   -0.0840345174f, 0.0579576194f,
                                    -0.0311778709f, 0.0109146181f,  -0.00179362437f};
};

template <>
struct InverseTrigonometric<double> {
  static constexpr double kQuarter = 0x1.921fb54442d18p+0, kQuarterLow = 0x1.1a62633145c07p-54;
  static constexpr double kAsin[] = {0.16666666666665383,  0.075000000003430545,  0.04464285682347495,
                                     0.03038195933148901,  0.022371753519586712,  0.017359771137154513,
                                     0.013884598365670074, 0.01217327913259918,   0.0065108566136536858,
                                     0.019573892440470367, -0.016294046688309916, 0.031958944456590026};
  static constexpr double kAtan[] = {
      -0.33333333333333071,   0.19999999999951462,    -0.14285714282575143,    0.11111111007026922,
      -0.090909070030006936,  0.076922798393606356,   -0.066664040578692976,   0.058805278151912679,
      -0.052535185516900056,  0.047223222034253838,   -0.042191789019606032,   0.036641909519942686,
      -0.029903855901585889,  0.021984849820882432,   -0.013900556557592385,   0.0071965006114098635,
      -0.0028849171215812098, 0.00083132138121690667, -0.00015216076644026082, 1.3225065927585717e-05};
};

/// quarters pi/2 + part + rest for 0, 1 or 2 quarters, where |part| < pi/2 and the rest is small.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V turned(D d, V quarters, V part, V rest) {
  using C = InverseTrigonometric<hn::TFromD<D>>;
  const V turn = hn::Mul(quarters, hn::Set(d, C::kQuarter));
  const V sum = hn::Add(turn, part), lost = hn::Add(hn::Sub(turn, sum), part);
  return hn::Add(sum, hn::Add(hn::MulAdd(quarters, hn::Set(d, C::kQuarterLow), lost), rest));
}

/// asin(size), size <= 1/2, or pi/2 - asin(size), size > 1/2, is part + rest.
template <class D, class V = hn::Vec<D>>
struct Arc {
  hn::Mask<D> far;  // size > 1/2
  V part, rest;
};

/// acos(x) = 2 asin(sqrt((1 - x) / 2)); beyond 1 the root is NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE Arc<D> arc(D d, V size) {
  using T = hn::TFromD<D>;
  const V half = hn::Set(d, T(0.5));
  const auto far = hn::Gt(size, half);
  const V square = hn::IfThenElse(far, hn::NegMulAdd(size, half, half), hn::Mul(size, size));
  const V root = hn::IfThenElse(far, hn::Sqrt(square), size);
  const V part = hn::IfThenElse(far, hn::Add(root, root), root);
  return {far, part, hn::Mul(hn::Mul(part, square), polynomial(d, square, InverseTrigonometric<T>::kAsin))};
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V asin(D d, V x) {
  const auto a = arc(d, hn::Abs(x));
  const V sign = hn::IfThenElseZero(a.far, hn::SignBit(d));
  const V quarters = hn::IfThenElseZero(a.far, hn::Set(d, hn::TFromD<D>(1)));
  return hn::CopySign(turned(d, quarters, hn::Xor(a.part, sign), hn::Xor(a.rest, sign)), x);
}

/// pi/2 - asin(x) for a small |x|, else pi - acos(-x) or acos(x)
template <class D, class V = hn::Vec<D>>
HWY_INLINE V acos(D d, V x) {
  using T = hn::TFromD<D>;
  const auto a = arc(d, hn::Abs(x));
  const auto negative = hn::Lt(x, hn::Zero(d));
  const V beyond = hn::IfThenElseZero(negative, hn::Set(d, T(2)));
  const V quarters = hn::IfThenElse(a.far, beyond, hn::Set(d, T(1)));
  const V sign = hn::And(hn::SignBit(d), hn::IfThenElse(a.far, x, hn::Neg(x)));
  return turned(d, quarters, hn::Xor(a.part, sign), hn::Xor(a.rest, sign));
}

/// pi/2 - atan(1/x) beyond 1
template <class D, class V = hn::Vec<D>>
HWY_INLINE V atan(D d, V x) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, T(1)), size = hn::Abs(x);
  const auto far = hn::Gt(size, one);
  const V part = hn::IfThenElse(far, hn::Div(hn::Set(d, T(-1)), size), size);
  const V square = hn::Mul(part, part);
  const V rest = hn::Mul(hn::Mul(part, square), polynomial(d, square, InverseTrigonometric<T>::kAtan));
  return hn::CopySign(turned(d, hn::IfThenElseZero(far, one), part, rest), x);
}

}  // namespace math
}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
