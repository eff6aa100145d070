// The error function of vectors, for files that Highway compiles once per instruction set; see math-inl.hpp.
// erfc(a) = e^(-a^2) times a function that varies little; a^2 is known in two parts, so that the relative
// error does not grow with a. Errors stay below 1.4 ulp for erf, and below 2.5 for erfc, also where it is
// small; where multiplication and addition are fused, below 1 and 2.
#if defined(BACKDROP_KERNELS_ERROR_FUNCTION_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BACKDROP_KERNELS_ERROR_FUNCTION_INL
#undef BACKDROP_KERNELS_ERROR_FUNCTION_INL
#else
#define BACKDROP_KERNELS_ERROR_FUNCTION_INL
#endif

#include "kernels/math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace math {

template <class T>
struct ErrorFunction;

template <>
struct ErrorFunction<float> {
  static constexpr float kMedian = 0.475f;  // erf and erfc of it are about the same
  static constexpr float kOne = 4;          // erf(x) is 1 from there on
  static constexpr float kNormal = 9;       // erfc(x) is not subnormal until there
  static constexpr float kZero = 10.1f;     // erfc(x) is 0 from there on
  static constexpr float kMiddle = 2.5f;
  /// (1 + 2a) e^(a^2) erfc(a) - 1 as a polynomial in (a - m) / (a + m), m = kMiddle, kMedian <= a <= kZero
  static constexpr float kScaled[] = {0.264838189f,    -0.122356772f,  -0.0990243703f,  0.157630265f,
                                      -0.10297063f,    0.0327558778f,  0.000958218647f, -0.00434985105f,
                                      0.000411794783f, 0.000536303618f};
  /// erf(x) / x - 1 as a polynomial in x^2, |x| <= 1
  static constexpr float kNearZero[] = {0.128379166f,  -0.37612626f,    0.112835787f,   -0.0268533472f,
                                        0.0051871622f, -0.00079978531f, 7.80690243e-05f};
};

template <>
struct ErrorFunction<double> {
  static constexpr double kMedian = 0.475;
  static constexpr double kOne = 6;
  static constexpr double kNormal = 26;
  static constexpr double kZero = 27.3;
  static constexpr double kMiddle = 3.5;
  static constexpr double kScaled[] = {
      0.24234924487115439,     -0.14000918013761943,    -0.010555596332218352,  0.097519095153259211,
      -0.11508959816018792,    0.087983153824840482,    -0.048823325827996249,  0.019099330942906036,
      -0.0042150199067618934,  -0.00030226788320969304, 0.0005643844120386401,  -0.00012151238095485829,
      -4.2782215656901792e-05, 2.426076098703264e-05,   2.3282912804840107e-06, -3.8139451820298577e-06,
      -4.4240477812850596e-08, 5.9949123156357983e-07,  -7.908092751267882e-09, -9.2470122661264288e-08,
      5.6012861480997225e-10,  1.0208144432544448e-08};
  static constexpr double kNearZero[] = {
      0.12837916709551256,    -0.37612638903183343,    0.1128379167093695,     -0.02686617064195914,
      0.0052239775967359292,  -0.00085483254850052346, 0.0001205528049694343,  -1.4924465650721544e-05,
      1.6444150751887529e-06, -1.6183992851431703e-07, 1.3616707407714875e-08, -7.6078283451923523e-10};
};

/// factor 2^exponent
template <class V>
struct Scaled {
  V factor, exponent;
};

/// erfc(a), kMedian <= a <= kZero: e^(-a^2) (1 + p) / (1 + 2a), where p is small. What the quotient 1 / (1 +
/// 2a) lacks is known too.
template <class D, class V = hn::Vec<D>>
HWY_INLINE Scaled<V> upper_tail(D d, V a) {
  using E = ErrorFunction<hn::TFromD<D>>;
  const V head = leading(d, a);
  const V square = hn::Mul(head, head), square_rest = hn::Mul(hn::Sub(a, head), hn::Add(a, head));
  const V n = whole_doublings(d, hn::Neg(hn::Mul(a, a)));
  const V high = hn::NegMulSub(n, hn::Set(d, Of<D>::kLn2High), square);
  const auto e = reduced(d, n, high, hn::MulAdd(n, hn::Set(d, Of<D>::kLn2Low), square_rest));
  const V bell = hn::Add(e.r, e.rest);

  const V middle = hn::Set(d, E::kMiddle);
  const V p = polynomial(d, hn::Div(hn::Sub(a, middle), hn::Add(a, middle)), E::kScaled);
  const V w = hn::Add(p, hn::MulAdd(bell, p, bell));

  const V one = hn::Set(d, hn::TFromD<D>(1));
  const V twice = hn::Add(a, a), under = hn::Add(one, twice),
          under_rest = hn::Sub(one, hn::Sub(under, twice));
  const V inverse = hn::Div(one, under);
  const V lacking = hn::NegMulAdd(inverse, under_rest, hn::NegMulAdd(inverse, under, one));
  return {hn::MulAdd(inverse, hn::Add(w, hn::MulAdd(lacking, w, lacking)), inverse), n};
}

/// erf(a), 0 <= a <= 1
template <class D, class V = hn::Vec<D>>
HWY_INLINE V erf_near_zero(D d, V a) {
  return hn::MulAdd(a, polynomial(d, hn::Mul(a, a), ErrorFunction<hn::TFromD<D>>::kNearZero), a);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V erf(D d, V x) {
  using E = ErrorFunction<hn::TFromD<D>>;
  const V one = hn::Set(d, hn::TFromD<D>(1));
  const V a = hn::Abs(x);
  const auto tail = upper_tail(d, at_most(d, a, E::kOne));
  const V far = hn::NegMulAdd(tail.factor, power_of_two(d, tail.exponent), one);
  return hn::CopySign(hn::IfThenElse(hn::Lt(a, one), erf_near_zero(d, a), far), x);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V erfc(D d, V x) {
  using E = ErrorFunction<hn::TFromD<D>>;
  const V a = at_most(d, hn::Abs(x), E::kZero);
  const auto tail = upper_tail(d, a);
  V upper;
  if (HWY_LIKELY(hn::AllTrue(d, hn::Lt(a, hn::Set(d, E::kNormal))))) {  // same bits, fewer instructions
    upper = hn::Mul(tail.factor, power_of_two(d, tail.exponent));
  } else {
    upper = scaled(d, tail.factor, tail.exponent);
  }
  const V near = hn::Sub(hn::Set(d, hn::TFromD<D>(1)), hn::CopySign(erf_near_zero(d, a), x));
  const V far = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Sub(hn::Set(d, hn::TFromD<D>(2)), upper), upper);
  return hn::IfThenElse(hn::Lt(a, hn::Set(d, E::kMedian)), near, far);
}

}  // namespace math
}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
