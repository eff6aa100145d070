#pragma once

#include <backdrop/core/op.hpp>
#include <cstddef>

#include "kernels/elementwise.hpp"

/// Vector code for functions that C++ has in <cmath>, within 2.5 ulp, with its special values. AVX2 and
/// AVX-512 give the same bits, older instruction sets may differ in the last ones. An element's result does
/// not depend on where in a block it stands. y may be x.
namespace backdrop::kernels {

template <class T>
struct Math {
  using Unary = void (*)(const T* x, T* y, std::size_t n);

  Unary exp, expm1, log, log1p, log2, log10, erf, erfc;
  Unary tanh, sinh, cosh, asinh, acosh, atanh;
  Unary sin, cos, tan, asin, acos, atan;
  Unary sigmoid;                                                    ///< 1 / (1 + e^-x)
  Unary softplus;                                                   ///< ln(1 + e^x)
  Unary log_sigmoid;                                                ///< -softplus(-x)
  Unary silu;                                                       ///< x sigmoid(x), and 0 at -Inf
  Unary mish;                                                       ///< x tanh(softplus(x)), and 0 at -Inf
  Unary gelu;                                                       ///< x erfc(-x/sqrt(2))/2, and 0 at -Inf
  void (*logaddexp)(const T* a, const T* b, T* y, std::size_t n);   ///< ln(e^a + e^b)
  void (*elu)(const T* x, T scale, T factor, T* y, std::size_t n);  ///< x > 0 ? x : expm1(x * scale) * factor
  /// x sigmoid(outer (x + cubic x^3)), and 0 at -Inf
  void (*gelu_tanh)(const T* x, T cubic, T outer, T* y, std::size_t n);
};

/// The functions for the best instruction set of this machine.
template <class T>
const Math<T>& math();
template <>
const Math<float>& math<float>();
template <>
const Math<double>& math<double>();

/// y = f(x) and y = f(x0, x1), where `pick` takes f from the table: [](const auto& k) { return k.exp; }
template <class Pick>
void math_map(const Block& b, Pick pick) {
  with_float(b.dtype(), [&]<class T>(T) {
    pick(math<T>())(static_cast<const T*>(b.x[0]), static_cast<T*>(b.y), b.count);
  });
}

template <class Pick>
void math_zip(const Block& b, Pick pick) {
  with_float(b.dtype(), [&]<class T>(T) {
    pick(math<T>())(static_cast<const T*>(b.x[0]), static_cast<const T*>(b.x[1]), static_cast<T*>(b.y),
                    b.count);
  });
}

/// y = x > 0 ? x : expm1(x * scale) * factor
inline void elu(const Block& b, double scale, double factor) {
  with_float(b.dtype(), [&]<class T>(T) {
    math<T>().elu(static_cast<const T*>(b.x[0]), static_cast<T>(scale), static_cast<T>(factor),
                  static_cast<T*>(b.y), b.count);
  });
}

/// y = x sigmoid(outer (x + cubic x^3))
inline void gelu_tanh(const Block& b, double cubic, double outer) {
  with_float(b.dtype(), [&]<class T>(T) {
    math<T>().gelu_tanh(static_cast<const T*>(b.x[0]), static_cast<T>(cubic), static_cast<T>(outer),
                        static_cast<T*>(b.y), b.count);
  });
}

}  // namespace backdrop::kernels
