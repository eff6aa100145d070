#pragma once

/// The logarithm of the gamma function and its derivatives.
namespace backdrop::kernels {

inline constexpr int kMostPolygamma = 100;  ///< the factorials and powers in it stay within f64

/// ln |gamma(x)|, unlike std::lgamma without a write to a global.
float log_gamma(float x);
double log_gamma(double x);

/// Derivatives 1 and n + 1 of ln gamma, n in [0, kMostPolygamma], to about 1e-14 of the largest term.
double digamma(double x);
double polygamma(int n, double x);

}  // namespace backdrop::kernels
