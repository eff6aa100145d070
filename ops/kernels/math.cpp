#include "kernels/math.hpp"

#include <numbers>

// Highway compiles this file once per instruction set; what stands before HWY_ONCE is in a namespace of its
// own each time. Vectors of unknown length cannot fill an array for the last elements, so NEON stands in for
// them.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/math.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/error_function-inl.hpp"
#include "kernels/hyperbolic-inl.hpp"
#include "kernels/inverse_trigonometric-inl.hpp"
#include "kernels/math-inl.hpp"
#include "kernels/trigonometric-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// x with 0 in place of -Inf, where a factor that has become 0 would make NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V bounded_below(D d, V x) {
  const V lowest = hn::Set(d, -std::numeric_limits<hn::TFromD<D>>::infinity());
  return hn::IfThenZeroElse(hn::Eq(x, lowest), x);
}

template <class T>
struct Functions {
  static void exp(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::exp(d, v); });
  }
  static void expm1(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::expm1(d, v); });
  }
  static void log(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::log(d, v); });
  }
  static void log1p(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::log1p(d, v); });
  }
  static void log2(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::log2(d, v); });
  }
  static void log10(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::log10(d, v); });
  }
  static void tanh(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::tanh(d, v); });
  }
  static void sinh(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::sinh(d, v); });
  }
  static void cosh(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::cosh(d, v); });
  }
  static void asinh(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::asinh(d, v); });
  }
  static void acosh(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::acosh(d, v); });
  }
  static void atanh(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::atanh(d, v); });
  }
  static void erf(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::erf(d, v); });
  }
  static void erfc(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::erfc(d, v); });
  }
  static void sin(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::sin(d, v); });
  }
  static void cos(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::cos(d, v); });
  }
  static void tan(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::tan(d, v); });
  }
  static void asin(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::asin(d, v); });
  }
  static void acos(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::acos(d, v); });
  }
  static void atan(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::atan(d, v); });
  }
  static void sigmoid(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::sigmoid(d, v); });
  }
  static void softplus(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return math::softplus(d, v); });
  }
  static void log_sigmoid(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR { return hn::Neg(math::softplus(d, hn::Neg(v))); });
  }
  static void silu(const T* x, T* y, std::size_t n) {
    math::map(x, y, n,
              [](auto d, auto v) HWY_ATTR { return hn::Mul(bounded_below(d, v), math::sigmoid(d, v)); });
  }
  static void mish(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR {
      return hn::Mul(bounded_below(d, v), math::tanh(d, math::softplus(d, v)));
    });
  }
  static void gelu(const T* x, T* y, std::size_t n) {
    math::map(x, y, n, [](auto d, auto v) HWY_ATTR {
      const auto tails = math::erfc(d, hn::Mul(v, hn::Set(d, static_cast<T>(-1 / std::numbers::sqrt2))));
      return hn::Mul(bounded_below(d, v), hn::Mul(tails, hn::Set(d, T{0.5})));
    });
  }
  static void gelu_tanh(const T* x, T cubic, T outer, T* y, std::size_t n) {
    math::map(x, y, n, [=](auto d, auto v) HWY_ATTR {
      const auto cube = hn::Mul(v, hn::Mul(v, v));
      const auto inner = hn::Add(v, hn::Mul(cube, hn::Set(d, cubic)));
      return hn::Mul(bounded_below(d, v), math::sigmoid(d, hn::Mul(inner, hn::Set(d, outer))));
    });
  }
  // What is equal needs no difference, which two infinities do not have.
  static void logaddexp(const T* a, const T* b, T* y, std::size_t n) {
    math::zip(a, b, y, n, [](auto d, auto u, auto v) HWY_ATTR {
      const auto greater = hn::IfThenElse(hn::Gt(u, v), u, v);
      const auto apart = hn::Add(greater, math::log1p(d, math::exp(d, hn::Neg(hn::Abs(hn::Sub(u, v))))));
      const auto twice = hn::Add(u, hn::Set(d, std::numbers::ln2_v<T>));
      return hn::IfThenElse(hn::Eq(u, v), twice, apart);
    });
  }
  static void elu(const T* x, T scale, T factor, T* y, std::size_t n) {
    math::map(x, y, n, [=](auto d, auto v) HWY_ATTR {
      const auto left = hn::Mul(math::expm1(d, hn::Mul(v, hn::Set(d, scale))), hn::Set(d, factor));
      return hn::IfThenElse(hn::Gt(v, hn::Zero(d)), v, left);
    });
  }
};

template <class T>
const Math<T>* table() {
  using F = Functions<T>;
  static constexpr Math<T> kTable{
      .exp = F::exp,
      .expm1 = F::expm1,
      .log = F::log,
      .log1p = F::log1p,
      .log2 = F::log2,
      .log10 = F::log10,
      .erf = F::erf,
      .erfc = F::erfc,
      .tanh = F::tanh,
      .sinh = F::sinh,
      .cosh = F::cosh,
      .asinh = F::asinh,
      .acosh = F::acosh,
      .atanh = F::atanh,
      .sin = F::sin,
      .cos = F::cos,
      .tan = F::tan,
      .asin = F::asin,
      .acos = F::acos,
      .atan = F::atan,
      .sigmoid = F::sigmoid,
      .softplus = F::softplus,
      .log_sigmoid = F::log_sigmoid,
      .silu = F::silu,
      .mish = F::mish,
      .gelu = F::gelu,
      .logaddexp = F::logaddexp,
      .elu = F::elu,
      .gelu_tanh = F::gelu_tanh,
  };
  return &kTable;
}

const Math<float>* math_f32() { return table<float>(); }
const Math<double>* math_f64() { return table<double>(); }

}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backdrop::kernels {
namespace {

HWY_EXPORT(math_f32);
HWY_EXPORT(math_f64);

}  // namespace

template <>
const Math<float>& math<float>() {
  return *HWY_DYNAMIC_DISPATCH(math_f32)();
}
template <>
const Math<double>& math<double>() {
  return *HWY_DYNAMIC_DISPATCH(math_f64)();
}

}  // namespace backdrop::kernels
#endif  // HWY_ONCE
