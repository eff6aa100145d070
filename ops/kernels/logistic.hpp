#pragma once

#include <cmath>

/// The logistic function and its integral for elementwise kernels, float or double.
namespace backdrop::kernels {

/// 1 / (1 + e^-x); e^-|x| lies in [0, 1], so that nothing overflows.
template <class T>
T logistic(T x) {
  const T e = std::exp(-std::abs(x));
  return (x < 0 ? e : T{1}) / (1 + e);
}

/// ln(1 + e^x)
template <class T>
T log_one_plus_exp(T x) {
  const T positive = x < 0 ? T{0} : x;
  return positive + std::log1p(std::exp(-std::abs(x)));
}

}  // namespace backdrop::kernels
