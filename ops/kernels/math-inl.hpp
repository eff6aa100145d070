// Exponentials and logarithms of vectors, for files that Highway compiles once per instruction set. The
// schemes are those of FDLIBM (Sun Microsystems, 1993): argument reduction with ln 2 in two parts (Cody and
// Waite 1980), log through s = f / (2 + f); the coefficients are minimax ones of our own (Remez). Errors stay
// below 1.1 ulp for exp, expm1 and the logarithms, and below 2.5 for what is made of them.
//
// A multiplication and an addition are fused where the instruction set can: AVX2 and AVX-512 give the same
// bits, older ones others.
#if defined(BACKDROP_KERNELS_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BACKDROP_KERNELS_MATH_INL
#undef BACKDROP_KERNELS_MATH_INL
#else
#define BACKDROP_KERNELS_MATH_INL
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace math {

namespace hn = hwy::HWY_NAMESPACE;

/// What a logarithm is of 2 and of e, in two parts: an exponent, and half the bits of another number, times
/// the higher part are exact.
template <class T>
struct Base {
  T two, two_low, e, e_low;
};

template <class T>
struct Constants;

template <>
struct Constants<float> {
  using Bits = std::uint32_t;
  static constexpr int kMantissa = 23;
  static constexpr int kTrailing = 12;           // bits, after the leading half
  static constexpr Bits kOne = 0x3F800000;       // of 1
  static constexpr Bits kRootHalf = 0x3F3504F3;  // of sqrt(1/2)
  static constexpr Bits kExponent = 0xFF800000;  // without the sign, which is 0 where this is used
  static constexpr float kInteger = 0x1p23f;     // its ulp is 1
  static constexpr float kShift = 0x1.8p23f;     // plus a small number: the nearest integer, in the low bits
  static constexpr float kLn2High = 0x1.62e4p-1f;  // times an exponent: exact
  static constexpr float kLn2Low = 0x1.7f7d1cp-20f;
  static constexpr float kNormal = 86;                       // e^x and e^-x are
  static constexpr float kOverflow = 89, kUnderflow = -104;  // e^x is Inf and 0 from there on
  static constexpr float kMinusOne = -30, kHuge = 60;        // e^x - 1 is -1; it is e^x
  static constexpr float kTanhOne = 10;                      // tanh is 1 from there on
  /// (e^r - 1 - r) / r^2 for |r| < ln 2 / 2
  static constexpr float kExp[] = {0.5f,           0.166666657f,   0.0416662954f,
                                   0.00833349768f, 0.00139447255f, 0.000197902758f};
  /// (tanh(r) - r) / r^3 for |r| < ln 2 / 4, as a polynomial in r^2
  static constexpr float kTanh[] = {-0.333333227f, 0.133311802f, -0.0527260511f};
  /// (2 atanh(s) - 2 s) / s^3 as a polynomial in s^2
  static constexpr float kLog[] = {0.666666627f, 0.400003374f, 0.285372406f, 0.235835388f};
  static constexpr Base<float> kBase2{1, 0, 0x1.716p+0f, -0x1.7135a8p-13f};
  static constexpr Base<float> kBase10{0x1.344p-2f, 0x1.3509f8p-18f, 0x1.bccp-2f, -0x1.09d5b2p-15f};
};

template <>
struct Constants<double> {
  using Bits = std::uint64_t;
  static constexpr int kMantissa = 52;
  static constexpr int kTrailing = 27;
  static constexpr Bits kOne = 0x3FF0000000000000;
  static constexpr Bits kRootHalf = 0x3FE6A09E667F3BCD;
  static constexpr Bits kExponent = 0xFFF0000000000000;
  static constexpr double kInteger = 0x1p52;
  static constexpr double kShift = 0x1.8p52;
  static constexpr double kLn2High = 0x1.62e42feep-1;
  static constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  static constexpr double kNormal = 700;
  static constexpr double kOverflow = 710, kUnderflow = -746;
  static constexpr double kMinusOne = -50, kHuge = 100;
  static constexpr double kTanhOne = 22;
  static constexpr double kExp[] = {0.5,
                                    0.16666666666666682,
                                    0.04166666666666609,
                                    0.008333333333316956,
                                    0.001388888888911673,
                                    0.00019841269896582998,
                                    2.4801586925261368e-05,
                                    2.755723465862903e-06,
                                    2.7557582493169275e-07,
                                    2.511210906483154e-08,
                                    2.0826563415934995e-09};
  static constexpr double kTanh[] = {-0.3333333333333333,   0.133333333333304991, -0.0539682539601059587,
                                     0.0218694874249383425, -0.00886315440139697, 0.00358886664727228713,
                                     -0.0013875589389364908};
  static constexpr double kLog[] = {0.6666666666666735,  0.3999999999941131,  0.2857142874322104,
                                    0.22222198479774002, 0.18183569561072216, 0.1531390746739019,
                                    0.14797468264984615};
  static constexpr Base<double> kBase2{1, 0, 0x1.7154764p+0, 0x1.2b82fe1777d1p-28};
  static constexpr Base<double> kBase10{0x1.34413509f8p-2, -0x1.80433b83b532ap-44, 0x1.bcb7b14p-2,
                                        0x1.26e50e32a6ab7p-30};
};

template <class D>
using Of = Constants<hn::TFromD<D>>;
template <class D>
using BitsOf = hn::RebindToUnsigned<D>;

template <class D, std::size_t n, class V = hn::Vec<D>>
HWY_INLINE V polynomial(D d, V x, const hn::TFromD<D> (&c)[n]) {
  V y = hn::Set(d, c[n - 1]);
  for (std::size_t k = n - 1; k-- > 0;) y = hn::MulAdd(y, x, hn::Set(d, c[k]));
  return y;
}

/// NaNs stay.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V at_most(D d, V x, hn::TFromD<D> bound) {
  const V b = hn::Set(d, bound);
  return hn::IfThenElse(hn::Gt(x, b), b, x);
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V at_least(D d, V x, hn::TFromD<D> bound) {
  const V b = hn::Set(d, bound);
  return hn::IfThenElse(hn::Lt(x, b), b, x);
}

/// The first half of a number's bits: squares of it, and products of two, are exact.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V leading(D d, V x) {
  const BitsOf<D> bits;
  constexpr auto kLeading = static_cast<typename Of<D>::Bits>(~typename Of<D>::Bits{0} << Of<D>::kTrailing);
  return hn::BitCast(d, hn::And(hn::BitCast(bits, x), hn::Set(bits, kLeading)));
}

/// x = n (high + low) + r for the nearest integer n, which the low bits of `shifted` are too.
template <class V>
struct Nearest {
  V shifted, n, r;
};

template <class D, class V = hn::Vec<D>, class T = hn::TFromD<D>>
HWY_INLINE Nearest<V> nearest(D d, V x, T inverse, T high, T low) {
  const V shift = hn::Set(d, Of<D>::kShift);
  const V shifted = hn::MulAdd(x, hn::Set(d, inverse), shift);
  const V n = hn::Sub(shifted, shift);
  return {shifted, n, hn::NegMulAdd(n, hn::Set(d, low), hn::NegMulAdd(n, hn::Set(d, high), x))};
}

/// x = n ln 2 + r, and e^r = 1 + (r + rest).
template <class V>
struct Reduced {
  V n, r, rest;
};

/// n for x
template <class D, class V = hn::Vec<D>>
HWY_INLINE V whole_doublings(D d, V x) {
  const V shift = hn::Set(d, Of<D>::kShift);
  return hn::Sub(hn::MulAdd(x, hn::Set(d, hn::TFromD<D>(1.4426950408889634)), shift), shift);
}

/// r = high - low
template <class D, class V = hn::Vec<D>>
HWY_INLINE Reduced<V> reduced(D d, V n, V high, V low) {
  const V r = hn::Sub(high, low);
  const V lost = hn::Sub(hn::Sub(high, r), low);
  return {n, r, hn::MulAdd(hn::Mul(r, r), polynomial(d, r, Of<D>::kExp), lost)};
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE Reduced<V> reduce(D d, V x) {
  const V n = whole_doublings(d, x);
  const V high = hn::NegMulAdd(n, hn::Set(d, Of<D>::kLn2High), x);
  return reduced(d, n, high, hn::Mul(n, hn::Set(d, Of<D>::kLn2Low)));
}

/// The low bits of n + kShift as what they add to an exponent.
template <class D, class V = hn::Vec<D>>
HWY_INLINE auto exponent_bits(D, V shifted) {
  return hn::ShiftLeft<Of<D>::kMantissa>(hn::BitCast(BitsOf<D>(), shifted));
}

/// 2^n for an integer n that a normal number has as its exponent, from n + kShift; from n.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V power_of_two_shifted(D d, V shifted) {
  return hn::BitCast(d, hn::Add(exponent_bits(d, shifted), hn::Set(BitsOf<D>(), Of<D>::kOne)));
}
template <class D, class V = hn::Vec<D>>
HWY_INLINE V power_of_two(D d, V n) {
  return power_of_two_shifted(d, hn::Add(n, hn::Set(d, Of<D>::kShift)));
}

/// y 2^n for any n, rounded once.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V scaled(D d, V y, V n) {
  const V shift = hn::Set(d, Of<D>::kShift);
  const V half = hn::Sub(hn::MulAdd(n, hn::Set(d, hn::TFromD<D>(0.5)), shift), shift);
  return hn::Mul(hn::Mul(y, power_of_two(d, half)), power_of_two(d, hn::Sub(n, half)));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp(D d, V x) {
  using C = Of<D>;
  const auto reduced_by_ln2 = [&](V u) HWY_ATTR {
    return nearest(d, u, hn::TFromD<D>(1.4426950408889634), C::kLn2High, C::kLn2Low);
  };
  const auto exp_of = [&](V r) HWY_ATTR {
    const V rest = hn::MulAdd(hn::Mul(r, r), polynomial(d, r, C::kExp), r);
    return hn::Add(hn::Set(d, hn::TFromD<D>(1)), rest);
  };
  if (HWY_LIKELY(
          hn::AllTrue(d, hn::Lt(hn::Abs(x), hn::Set(d, C::kNormal))))) {  // same bits, fewer instructions
    const auto e = reduced_by_ln2(x);
    return hn::BitCast(d, hn::Add(hn::BitCast(BitsOf<D>(), exp_of(e.r)), exponent_bits(d, e.shifted)));
  }
  const auto e = reduced_by_ln2(at_least(d, at_most(d, x, C::kOverflow), C::kUnderflow));
  return scaled(d, exp_of(e.r), e.n);
}

/// 2^n (1 + r + rest) - 1 where n is small enough for 2^n; 2^n - 1 is 0 or greater than 2^n r, so that what
/// the sum loses is known.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V less_one(D d, const Reduced<V>& e) {
  const V power = power_of_two(d, e.n);
  const V whole = hn::Sub(power, hn::Set(d, hn::TFromD<D>(1)));
  const V part = hn::Mul(power, e.r);
  const V sum = hn::Add(whole, part);
  const V lost = hn::Sub(part, hn::Sub(sum, whole));
  return hn::Add(sum, hn::MulAdd(power, e.rest, lost));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V expm1(D d, V x) {
  using C = Of<D>;
  auto e = reduce(d, at_least(d, at_most(d, x, C::kOverflow), C::kMinusOne));
  const V huge = scaled(d, hn::Add(hn::Set(d, hn::TFromD<D>(1)), hn::Add(e.r, e.rest)), e.n);
  e.n = at_most(d, e.n, C::kHuge);
  const V y = hn::IfThenElse(hn::Gt(x, hn::Set(d, C::kHuge / 2)), huge, less_one(d, e));
  return hn::CopySign(y, x);  // -0 for -0
}

/// x = 2^exponent (1 + f) for a normal x > 0, sqrt(1/2) <= 1 + f < sqrt(2)
template <class V>
struct Split {
  V exponent, f;
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE Split<V> split(D d, V x) {
  using C = Of<D>;
  const BitsOf<D> bits;
  const auto one = hn::Set(bits, C::kOne);
  const auto from_root_half = hn::Add(hn::BitCast(bits, x), hn::Set(bits, C::kOne - C::kRootHalf));
  const auto biased = hn::ShiftRight<C::kMantissa>(from_root_half);
  const V integer = hn::BitCast(d, hn::Or(biased, hn::BitCast(bits, hn::Set(d, C::kInteger))));
  constexpr auto kBias = static_cast<hn::TFromD<D>>(C::kOne >> C::kMantissa);
  const auto scale = hn::And(from_root_half, hn::Set(bits, C::kExponent));
  const auto mantissa = hn::Add(hn::Sub(hn::BitCast(bits, x), scale), one);
  return {hn::Sub(integer, hn::Set(d, C::kInteger + kBias)),
          hn::Sub(hn::BitCast(d, mantissa), hn::Set(d, hn::TFromD<D>(1)))};
}

/// ln(1 + f) = f - half_square + s * factor
template <class V>
struct Series {
  V half_square, s, factor;
};

template <class D, class V = hn::Vec<D>>
HWY_INLINE Series<V> series(D d, V f) {
  const V half_square = hn::Mul(hn::Mul(hn::Set(d, hn::TFromD<D>(0.5)), f), f);
  const V s = hn::Div(f, hn::Add(hn::Set(d, hn::TFromD<D>(2)), f));
  const V z = hn::Mul(s, s);
  return {half_square, s, hn::Add(half_square, hn::Mul(z, polynomial(d, z, Of<D>::kLog)))};
}

/// exponent ln 2 + ln(1 + f) + correction
template <class D, class V = hn::Vec<D>>
HWY_INLINE V join(D d, V exponent, V f, V correction) {
  using C = Of<D>;
  const auto ln = series(d, f);
  const V low = hn::MulAdd(exponent, hn::Set(d, C::kLn2Low), correction);
  const V rest = hn::MulAdd(ln.s, ln.factor, low);
  return hn::MulAdd(exponent, hn::Set(d, C::kLn2High), hn::Sub(f, hn::Sub(ln.half_square, rest)));
}

/// The logarithm of 2^exponent (1 + f) to another base than e
template <class D, class V = hn::Vec<D>>
HWY_INLINE V join(D d, V exponent, V f, const Base<hn::TFromD<D>>& base) {
  const auto ln = series(d, f);
  const V high = leading(d, hn::Sub(f, ln.half_square));
  const V low = hn::MulAdd(ln.s, ln.factor, hn::Sub(hn::Sub(f, high), ln.half_square));
  const V whole = hn::Mul(exponent, hn::Set(d, base.two)), part = hn::Mul(high, hn::Set(d, base.e));
  const V sum = hn::Add(whole, part);
  const V lost = hn::MulAdd(exponent, hn::Set(d, base.two_low), hn::Add(hn::Sub(whole, sum), part));
  const V rest = hn::MulAdd(hn::Add(low, high), hn::Set(d, base.e_low), lost);
  return hn::Add(sum, hn::MulAdd(low, hn::Set(d, base.e), rest));
}

/// The limits of a logarithm: -Inf at 0, NaN below, Inf at Inf, NaN of NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V at_the_ends(D d, V argument, V y) {
  using Limits = std::numeric_limits<hn::TFromD<D>>;
  const V zero = hn::Zero(d), infinity = hn::Set(d, Limits::infinity());
  y = hn::IfThenElse(hn::Lt(argument, infinity), y, argument);  // Inf and NaN
  y = hn::IfThenElse(hn::Eq(argument, zero), hn::Neg(infinity), y);
  return hn::IfThenElse(hn::Lt(argument, zero), hn::Set(d, Limits::quiet_NaN()), y);
}

/// The same for a subnormal x too
template <class D, class V = hn::Vec<D>>
HWY_INLINE Split<V> split_positive(D d, V x) {
  using C = Of<D>;
  using T = hn::TFromD<D>;
  const auto small = hn::Lt(x, hn::Set(d, std::numeric_limits<T>::min()));
  constexpr T kRaise = C::kInteger * 2;
  const V normal = hn::IfThenElse(small, hn::Mul(x, hn::Set(d, kRaise)), x);
  const auto parts = split(d, normal);
  const V raised = hn::IfThenElse(small, hn::Set(d, T(C::kMantissa + 1)), hn::Zero(d));
  return {hn::Sub(parts.exponent, raised), parts.f};
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V log(D d, V x) {
  const auto parts = split_positive(d, x);
  return at_the_ends(d, x, join(d, parts.exponent, parts.f, hn::Zero(d)));
}

/// Of a power of two: exact.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V log2(D d, V x) {
  const auto parts = split_positive(d, x);
  return at_the_ends(d, x, join(d, parts.exponent, parts.f, Of<D>::kBase2));
}

/// Of a power of ten: exact.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V log10(D d, V x) {
  const auto parts = split_positive(d, x);
  return at_the_ends(d, x, join(d, parts.exponent, parts.f, Of<D>::kBase10));
}

/// What u has lost of 1 + x
template <class D, class V = hn::Vec<D>>
HWY_INLINE V lost_of_one_plus(D d, V x, V u) {
  const V one = hn::Set(d, hn::TFromD<D>(1));
  return hn::IfThenElse(hn::Gt(hn::Abs(x), one), hn::Sub(one, hn::Sub(u, x)), hn::Sub(x, hn::Sub(u, one)));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V log1p(D d, V x) {
  const V zero = hn::Zero(d), u = hn::Add(hn::Set(d, hn::TFromD<D>(1)), x);
  const auto parts = split(d, u);
  // What is lost is given in units of u; if u needs no shift, x is used instead.
  const V lost = lost_of_one_plus(d, x, u);
  const auto unshifted = hn::Eq(parts.exponent, zero);
  const V f = hn::IfThenElse(unshifted, x, parts.f);
  const V y = join(d, parts.exponent, f, hn::IfThenElse(unshifted, zero, hn::Div(lost, u)));
  return hn::CopySign(at_the_ends(d, u, y), x);  // -0 for -0
}

/// With |x| = n ln 2 / 2 + r and h = tanh(r), e^2|x| = 2^n (1 + h) / (1 - h).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V tanh(D d, V x) {
  using C = Of<D>;
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, T(1));
  const V size = at_most(d, hn::Abs(x), C::kTanhOne);
  const auto e = nearest(d, size, T(2.8853900817779268), C::kLn2High / 2, C::kLn2Low / 2);
  const V square = hn::Mul(e.r, e.r);
  const V h = hn::MulAdd(hn::Mul(e.r, square), polynomial(d, square, C::kTanh), e.r);
  const V power = power_of_two_shifted(d, e.shifted);
  const V less = hn::Sub(power, one), more = hn::Add(power, one);
  return hn::CopySign(hn::Div(hn::MulAdd(more, h, less), hn::MulAdd(less, h, more)), x);
}

/// 1 / (1 + e^-x); e^-|x| lies in [0, 1], so that nothing overflows.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V sigmoid(D d, V x) {
  const V one = hn::Set(d, hn::TFromD<D>(1));
  const V e = exp(d, hn::Neg(hn::Abs(x)));
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
}

/// ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|)
template <class D, class V = hn::Vec<D>>
HWY_INLINE V softplus(D d, V x) {
  const V positive = hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);
  return hn::Add(positive, log1p(d, exp(d, hn::Neg(hn::Abs(x)))));
}

/// The last elements go through the same instructions as all others.
template <class T>
HWY_INLINE hn::Vec<hn::ScalableTag<T>> load_part(const T* x, std::size_t n) {
  const hn::ScalableTag<T> d;
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN T lanes[hn::MaxLanes(d)] = {};
  std::memcpy(lanes, x, n * sizeof(T));
  return hn::Load(d, lanes);
#else
  return hn::MaskedLoad(hn::FirstN(d, n), d, x);
#endif
}
template <class T>
HWY_INLINE void store_part(hn::Vec<hn::ScalableTag<T>> v, T* y, std::size_t n) {
  const hn::ScalableTag<T> d;
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN T lanes[hn::MaxLanes(d)];
  hn::Store(v, d, lanes);
  std::memcpy(y, lanes, n * sizeof(T));
#else
  hn::BlendedStore(v, hn::FirstN(d, n), d, y);
#endif
}

template <class T, class F>
HWY_INLINE void map(const T* x, T* y, std::size_t n, F f) {
  const hn::ScalableTag<T> d;
  std::size_t k = 0;
  for (; k + hn::Lanes(d) <= n; k += hn::Lanes(d)) hn::StoreU(f(d, hn::LoadU(d, x + k)), d, y + k);
  if (k < n) store_part(f(d, load_part(x + k, n - k)), y + k, n - k);
}

template <class T, class F>
HWY_INLINE void zip(const T* a, const T* b, T* y, std::size_t n, F f) {
  const hn::ScalableTag<T> d;
  std::size_t k = 0;
  for (; k + hn::Lanes(d) <= n; k += hn::Lanes(d)) {
    hn::StoreU(f(d, hn::LoadU(d, a + k), hn::LoadU(d, b + k)), d, y + k);
  }
  if (k < n) store_part(f(d, load_part(a + k, n - k), load_part(b + k, n - k)), y + k, n - k);
}

}  // namespace math
}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
