// Hyperbolic functions of vectors and their inverses, for files that Highway compiles once per instruction
// set; see math-inl.hpp. sinh and cosh of n ln 2 + r are made from those of both by the addition theorem; the
// coefficients are minimax ones of our own (Remez). The inverses are logarithms of 1 + t, where t is known in
// two parts. Errors stay below 1.5 ulp, and below 2 for acosh.
#if defined(BACKDROP_KERNELS_HYPERBOLIC_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BACKDROP_KERNELS_HYPERBOLIC_INL
#undef BACKDROP_KERNELS_HYPERBOLIC_INL
#else
#define BACKDROP_KERNELS_HYPERBOLIC_INL
#endif

#include "kernels/math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace math {

template <class T>
struct Hyperbolic;

template <>
struct Hyperbolic<float> {
  static constexpr float kInfinite = 89.5f;   // sinh and cosh are infinite from there on
  static constexpr float kLinear = 0x1p-13f;  // sinh(x) is x up to there
  static constexpr float kLarge = 0x1p30f;    // asinh(x) and acosh(x) are ln(2x) from there on
  /// (sinh(r) - r) / r^3 and (cosh(r) - 1) / r^2 as polynomials in r^2, |r| <= ln 2 / 2
  static constexpr float kSinh[] = {0.166666672f, 0.00833328906f, 0.000199050759f};
  static constexpr float kCosh[] = {0.5f, 0.0416662656f, 0.00139463332f};
};

template <>
struct Hyperbolic<double> {
  static constexpr double kInfinite = 710.6;
  static constexpr double kLinear = 0x1p-28;
  static constexpr double kLarge = 0x1p60;
  static constexpr double kSinh[] = {0.16666666666666677, 0.0083333333333215302, 0.00019841269886403302,
                                     2.75572439095287e-06, 2.5109148106873751e-08};
  static constexpr double kCosh[] = {0.5,
                                     0.041666666666666713,
                                     0.0013888888888863751,
                                     2.4801587363741288e-05,
                                     2.7557241536553368e-07,
                                     2.0924514122493684e-09};
};

/// |x| = n ln 2 + r, about: 2^n / 4 and 2^-n / 4, whose sum and difference are cosh and sinh of n ln 2,
/// halved so that they are finite; r; sinh(|x| - n ln 2) - r and cosh(r) - 1.
template <class V>
struct Doubled {
  V growing, shrinking, r, sinh_rest, cosh_rest;
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE Doubled<V> doubled(D d, V size) {
  using C = Of<D>;
  using H = Hyperbolic<hn::TFromD<D>>;
  const V x = at_most(d, size, H::kInfinite);
  const V n = whole_doublings(d, x), two = hn::Set(d, hn::TFromD<D>(2));
  const V high = hn::NegMulAdd(n, hn::Set(d, C::kLn2High), x), low = hn::Mul(n, hn::Set(d, C::kLn2Low));
  const V r = hn::Sub(high, low), lost = hn::Sub(hn::Sub(high, r), low);
  const V square = hn::Mul(r, r);
  return {power_of_two(d, hn::Sub(n, two)), power_of_two(d, hn::Neg(hn::Add(at_most(d, n, C::kHuge), two))),
          r, hn::MulAdd(hn::Mul(r, square), polynomial(d, square, H::kSinh), lost),
          hn::Mul(square, polynomial(d, square, H::kCosh))};
}

/// 2 (f cosh(r) + g sinh(r)), f + f_rest being the exact f
template <class V>
HWY_INLINE V addition_theorem(V f, V f_rest, V g, const Doubled<V>& e) {
  const V rest = hn::MulAdd(g, e.sinh_rest, hn::MulAdd(f, e.cosh_rest, f_rest));
  const V half = hn::Add(hn::MulAdd(g, e.r, f), rest);
  return hn::Add(half, half);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V sinh(D d, V x) {
  const V size = hn::Abs(x);
  const auto e = doubled(d, size);
  const V f = hn::Sub(e.growing, e.shrinking), f_rest = hn::Sub(hn::Sub(e.growing, f), e.shrinking);
  const V y = addition_theorem(f, f_rest, hn::Add(e.growing, e.shrinking), e);
  const auto linear = hn::Lt(size, hn::Set(d, Hyperbolic<hn::TFromD<D>>::kLinear));
  return hn::CopySign(hn::IfThenElse(linear, size, y), x);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V cosh(D d, V x) {
  const auto e = doubled(d, hn::Abs(x));
  const V f = hn::Add(e.growing, e.shrinking), f_rest = hn::Add(hn::Sub(e.growing, f), e.shrinking);
  return addition_theorem(f, f_rest, hn::Sub(e.growing, e.shrinking), e);
}

/// ln(1 + t + rest) + doublings ln 2 for t >= 0; Inf for Inf, NaN for NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V log_of_sum(D d, V t, V rest, V doublings) {
  const V u = hn::Add(hn::Set(d, hn::TFromD<D>(1)), t);
  const auto parts = split(d, u);
  const auto unshifted = hn::Eq(parts.exponent, hn::Zero(d));
  const V f = hn::IfThenElse(unshifted, t, parts.f);
  const V correction = hn::IfThenElse(unshifted, rest, hn::Div(hn::Add(lost_of_one_plus(d, t, u), rest), u));
  const V y = join(d, hn::Add(parts.exponent, doublings), f, correction);
  return hn::IfThenElse(hn::Lt(u, hn::Set(d, std::numeric_limits<hn::TFromD<D>>::infinity())), y, u);
}

/// ln(1 + t + rest), but ln(2x) for a large x, where 1 + x is x.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V log_unless_large(D d, V x, V t, V rest) {
  using T = hn::TFromD<D>;
  const auto large = hn::Gt(x, hn::Set(d, Hyperbolic<T>::kLarge));
  return log_of_sum(d, hn::IfThenElse(large, x, t), hn::IfThenZeroElse(large, rest),
                    hn::IfThenElseZero(large, hn::Set(d, T(1))));
}

/// x + sqrt(x^2 + 1) = 1 + x + x^2 / (1 + sqrt(x^2 + 1))
template <class D, class V = hn::Vec<D>>
HWY_INLINE V asinh(D d, V x) {
  const V one = hn::Set(d, hn::TFromD<D>(1));
  const V size = hn::Abs(x);
  const V square = hn::Mul(size, size);
  const V more = hn::Div(square, hn::Add(one, hn::Sqrt(hn::Add(one, square))));  // less than |x|
  const V t = hn::Add(size, more);
  return hn::CopySign(log_unless_large(d, size, t, hn::Add(hn::Sub(size, t), more)), x);
}

/// x + sqrt(x^2 - 1) = 1 + h + sqrt(h^2 + 2h), h = x - 1
template <class D, class V = hn::Vec<D>>
HWY_INLINE V acosh(D d, V x) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, T(1));
  const V h = hn::Sub(x, one);
  const V root = hn::Sqrt(hn::MulAdd(h, h, hn::Add(h, h)));  // greater than h
  const V t = hn::Add(root, h);
  const V y = log_unless_large(d, x, t, hn::Add(hn::Sub(root, t), h));
  return hn::IfThenElse(hn::Lt(x, one), hn::Set(d, std::numeric_limits<T>::quiet_NaN()), y);
}

/// (1 + x) / (1 - x) = 1 + q = 1 + 2x + x q, q = 2x / (1 - x)
template <class D, class V = hn::Vec<D>>
HWY_INLINE V atanh(D d, V x) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, T(1)), half = hn::Set(d, T(0.5)), zero = hn::Zero(d);
  const V size = hn::Abs(x);
  const V twice = hn::Add(size, size);
  const V q = hn::Div(twice, hn::Sub(one, size));
  const V part = hn::Mul(size, q), sum = hn::Add(twice, part);
  const auto near = hn::Lt(size, half);  // where part is less than twice
  const V t = hn::IfThenElse(near, sum, q);
  const V rest = hn::IfThenElseZero(near, hn::Add(hn::Sub(twice, sum), part));
  const V y = hn::Mul(half, log_of_sum(d, t, rest, zero));
  return hn::CopySign(hn::IfThenElse(hn::Gt(size, one), hn::Set(d, std::numeric_limits<T>::quiet_NaN()), y),
                      x);
}

}  // namespace math
}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
