#include "kernels/gamma.hpp"

#include <math.h>  // lgamma_r, which is POSIX and not in <cmath>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

namespace backdrop::kernels {

namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The Bernoulli numbers B_2, B_4, ...
constexpr double kBernoulli[] = {1.0 / 6,       -1.0 / 30,       1.0 / 42,       -1.0 / 30,
                                 5.0 / 66,      -691.0 / 2730,   7.0 / 6,        -3617.0 / 510,
                                 43867.0 / 798, -174611.0 / 330, 854513.0 / 138, -236364091.0 / 2730};

// From here on the asymptotic series of digamma is exact.
constexpr double kFar = 10;

// cot(pi x); the nearest integer is taken off first, exactly.
double cotangent(double x) {
  const double r = x - std::nearbyint(x);
  if (std::abs(r) > 0.25) return std::tan(kPi * (std::copysign(0.5, r) - r));
  return 1 / std::tan(kPi * r);
}

// x > 0: psi(x) = psi(x + 1) - 1/x until the series holds.
double digamma_right(double x) {
  double shift = 0;
  for (; x < kFar; x += 1) shift += 1 / x;
  const double z = 1 / (x * x);
  double series = 0;
  for (std::size_t k = std::size(kBernoulli); k-- > 0;) {
    series = z * (series + kBernoulli[k] / static_cast<double>(2 * k + 2));
  }
  return std::log(x) - 0.5 / x - series - shift;
}

// x > 0: x^s times the sum of (x + k)^-s over k >= 0, by Euler and Maclaurin, s >= 2. It neither overflows
// nor vanishes, as a power by itself would.
double hurwitz(int s, double x) {
  const double first = x;
  // The remainder falls with (x + k) beyond s.
  const double far = kFar + s;
  double sum = 0;
  for (; x < far; x += 1) sum += std::pow(x / first, -s);
  const double power = std::pow(x / first, -s);
  double tail = x * power / (s - 1) + power / 2;
  double term = power * s / x / 2;  // s (s+1) ... (s+2j-2) x^(-s-2j+1) / (2j)!
  for (std::size_t j = 1; j <= std::size(kBernoulli); ++j) {
    tail += kBernoulli[j - 1] * term;
    const auto even = static_cast<double>(2 * j);
    term *= (s + even - 1) * (s + even) / ((even + 1) * (even + 2) * x * x);
  }
  return sum + tail;
}

// The n-th derivative of pi cot(pi x): pi^(n+1) p_n(cot), with p_0(c) = c and p_{n+1} = -(1 + c^2) p_n'. All
// coefficients of a p_n have one sign, so that nothing cancels.
double cotangent_derivative(int n, double x) {
  std::array<double, kMostPolygamma + 3> p{};
  p[1] = 1;
  for (int step = 1; step <= n; ++step) {
    std::array<double, kMostPolygamma + 3> next{};
    for (std::size_t k = 1; k <= static_cast<std::size_t>(step); ++k) {
      const double slope = static_cast<double>(k) * p[k];
      next[k - 1] -= slope;
      next[k + 1] -= slope;
    }
    p = next;
  }
  const double c = cotangent(x);
  double value = 0;
  for (std::size_t k = static_cast<std::size_t>(n) + 2; k-- > 0;) value = value * c + p[k];
  return std::pow(kPi, n + 1) * value;
}

double polygamma_right(int n, double x) {
  if (std::isinf(x)) return 0;
  double value = hurwitz(n + 1, x) / x;
  for (int k = 1; k <= n; ++k) value *= k / x;  // n! x^-n, factor by factor
  return n % 2 == 1 ? value : -value;
}

}  // namespace

float log_gamma(float x) {
  int sign = 0;
  return ::lgammaf_r(x, &sign);
}

double log_gamma(double x) {
  int sign = 0;
  return ::lgamma_r(x, &sign);
}

double digamma(double x) {
  if (x == 0) return -std::copysign(kInfinity, x);
  if (x > 0) return std::isinf(x) ? x : digamma_right(x);
  if (!(std::floor(x) < x)) return std::numeric_limits<double>::quiet_NaN();
  return digamma_right(1 - x) - kPi * cotangent(x);
}

// psi_n(1 - x) (-1)^n - psi_n(x) = d^n/dx^n pi cot(pi x)
double polygamma(int n, double x) {
  if (n == 0) return digamma(x);
  if (x > 0) return polygamma_right(n, x);
  if (std::isnan(x) || std::isinf(x)) return std::numeric_limits<double>::quiet_NaN();
  if (std::floor(x) == x) return n % 2 == 1 ? kInfinity : -kInfinity;
  return (n % 2 == 0 ? 1 : -1) * polygamma_right(n, 1 - x) - cotangent_derivative(n, x);
}

}  // namespace backdrop::kernels
