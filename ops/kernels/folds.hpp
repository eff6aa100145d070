#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

/// What a reduction does with its terms. The state of every fold is two numbers, so that one driver serves
/// all. All arithmetic is in f64: for f32 terms that alone keeps sums exact to the last bit of f32 for any
/// practical count; f64 terms are summed with their rounding errors carried along.
namespace backdrop::kernels {

/// f32 terms.
struct SumWide {
  static constexpr double kIdentity = 0;
  static void take(double& s, double&, double x) { s += x; }
  static void merge(double& s, double&, double s2, double) { s += s2; }
  static double finish(double s, double) { return s; }
};

/// f64 terms: s + e is the sum in twice the precision (Knuth's two-sum; Ogita, Rump, Oishi 2005).
struct SumCompensated {
  static constexpr double kIdentity = 0;
  static void take(double& s, double& e, double x) {
    const double sum = s + x;
    const double added = sum - s;
    e += (s - (sum - added)) + (x - added);
    s = sum;
  }
  static void merge(double& s, double& e, double s2, double e2) {
    take(s, e, s2);
    e += e2;
  }
  // The error of an infinite sum is NaN.
  static double finish(double s, double e) { return std::isfinite(s) ? s + e : s; }
};

struct ProductWide {
  static constexpr double kIdentity = 1;
  static void take(double& s, double&, double x) { s *= x; }
  static void merge(double& s, double&, double s2, double) { s *= s2; }
  static double finish(double s, double) { return s; }
};

template <class Sum>
struct SquaresOf : Sum {
  static void take(double& s, double& e, double x) { Sum::take(s, e, x * x); }
};

/// NaN wins.
template <int kSign>
struct Extreme {
  static constexpr double kIdentity = -kSign * std::numeric_limits<double>::infinity();
  static double better(double s, double x) {
    const bool beats = kSign > 0 ? !(x <= s) : !(x >= s);  // true when either is NaN
    return beats && s == s ? x : s;
  }
  static void take(double& s, double&, double x) { s = better(s, x); }
  static void merge(double& s, double&, double s2, double) { s = better(s, s2); }
  static double finish(double s, double) { return s; }
};
using Greatest = Extreme<1>;
using Least = Extreme<-1>;

}  // namespace backdrop::kernels
