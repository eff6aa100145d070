#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "kernels/math.hpp"
#include "kernels/targets.hpp"

using namespace backdrop;

namespace {

using Long = long double;

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T>
struct Function {
  const char* name;
  typename kernels::Math<T>::Unary of;
  Long (*exact)(Long);
  double ulps;       // allowed
  double low, high;  // where results are neither 0 nor infinite, about
};

Long sigmoid_of(Long x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
Long softplus_of(Long x) { return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::abs(x))); }

template <class T>
std::vector<Function<T>> functions() {
  const auto& m = kernels::math<T>();
  return {
      {"exp", m.exp, [](Long x) { return std::exp(x); }, 1.1, -760, 720},
      {"expm1", m.expm1, [](Long x) { return std::expm1(x); }, 1.2, -60, 720},
      {"log", m.log, [](Long x) { return std::log(x); }, 1.1, 0, 100},
      {"log1p", m.log1p, [](Long x) { return std::log1p(x); }, 1.1, -1, 100},
      {"log2", m.log2, [](Long x) { return std::log2(x); }, 1, 0, 100},
      {"log10", m.log10, [](Long x) { return std::log10(x); }, 1, 0, 100},
      {"erf", m.erf, [](Long x) { return std::erf(x); }, 1.4, -6, 6},
      {"erfc", m.erfc, [](Long x) { return std::erfc(x); }, 2.5, -6, 28},
      {"sin", m.sin, [](Long x) { return std::sin(x); }, 1, -3100, 3100},
      {"cos", m.cos, [](Long x) { return std::cos(x); }, 1, -3100, 3100},
      {"tan", m.tan, [](Long x) { return std::tan(x); }, 2.5, -3100, 3100},
      {"asin", m.asin, [](Long x) { return std::asin(x); }, 1.5, -1, 1},
      {"acos", m.acos, [](Long x) { return std::acos(x); }, 1.5, -1, 1},
      {"atan", m.atan, [](Long x) { return std::atan(x); }, 1.5, -5, 5},
      {"tanh", m.tanh, [](Long x) { return std::tanh(x); }, 2.5, -25, 25},
      {"sinh", m.sinh, [](Long x) { return std::sinh(x); }, 1.5, -715, 715},
      {"cosh", m.cosh, [](Long x) { return std::cosh(x); }, 1.5, -715, 715},
      {"asinh", m.asinh, [](Long x) { return std::asinh(x); }, 1.5, -5, 5},
      {"acosh", m.acosh, [](Long x) { return std::acosh(x); }, 2, 1, 5},
      {"atanh", m.atanh, [](Long x) { return std::atanh(x); }, 1.5, -1, 1},
      {"sigmoid", m.sigmoid, sigmoid_of, 2.5, -760, 50},
      {"softplus", m.softplus, softplus_of, 2.5, -760, 50},
      {"log_sigmoid", m.log_sigmoid, [](Long x) { return -softplus_of(-x); }, 2.5, -50, 760},
  };
}

/// |got - exact| in units of the last place of the result; huge if one is NaN or infinite and the other not.
template <class T>
double error_in_ulps(T got, Long exact) {
  const T rounded = static_cast<T>(exact);
  if (std::isnan(got) || std::isnan(rounded)) return std::isnan(got) == std::isnan(rounded) ? 0 : 1e9;
  if (std::isinf(got) || std::isinf(rounded)) return got == rounded ? 0 : 1e9;
  const T size = std::abs(rounded);
  const T ulp = size == std::numeric_limits<T>::max() ? size - std::nextafter(size, T{0})
                                                      : std::nextafter(size, HUGE_VALF) - size;
  return static_cast<double>(std::abs(static_cast<Long>(got) - exact) / static_cast<Long>(ulp));
}

/// Uniform in the range, uniform and very near 0 and 1, and any bits at all.
template <class T>
std::vector<T> arguments(const Function<T>& f, std::size_t n) {
  std::mt19937_64 bits(7);
  std::vector<T> x(n);
  for (std::size_t k = 0; k < n; ++k) {
    const double u = static_cast<double>(bits() >> 11) * 0x1p-53;
    const double near = (u - 0.5) * std::pow(10.0, -static_cast<double>(k / 4 % 12));
    const double choices[] = {f.low + u * (f.high - f.low), 4 * near, 1 + near};
    x[k] = k % 4 == 3 ? std::bit_cast<T>(static_cast<Bits<T>>(bits())) : static_cast<T>(choices[k % 4]);
  }
  return x;
}

template <class T>
std::vector<T> applied(const Function<T>& f, const std::vector<T>& x) {
  std::vector<T> y(x.size());
  f.of(x.data(), y.data(), x.size());
  return y;
}

template <class T>
void check_error(const Function<T>& f, double allowed) {
  const std::string name = f.name;
  CAPTURE(name);
  const std::vector<T> x = arguments(f, 20000);
  const std::vector<T> y = applied(f, x);
  double worst = 0;
  T at = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const double error = error_in_ulps(y[k], f.exact(static_cast<Long>(x[k])));
    if (error > worst) worst = error, at = x[k];
  }
  CAPTURE(at);
  CHECK(worst < allowed);
}

template <class T>
void check_errors() {
  for (const Function<T>& f : functions<T>()) check_error(f, f.ulps);
}

template <class T>
void check_fused_errors() {
  for (const Function<T>& f : functions<T>()) {
    const std::string name = f.name;
    if (name == "erf") check_error(f, 1);
    if (name == "erfc") check_error(f, 2);
  }
}

template <class T>
void check_special_values() {
  using Limits = std::numeric_limits<T>;
  for (const Function<T>& f : functions<T>()) {
    for (const T x : {T{0}, T{1}, Limits::denorm_min(), Limits::min() / 3, Limits::min(), Limits::max(),
                      Limits::infinity(), Limits::quiet_NaN()}) {
      for (const T argument : {x, -x}) {
        const T y = applied(f, std::vector<T>{argument})[0];
        const T exact = static_cast<T>(f.exact(static_cast<Long>(argument)));
        INFO(f.name, "(", argument, ") = ", y, ", not ", exact);
        CHECK(error_in_ulps(y, static_cast<Long>(exact)) <= 2);
        CHECK((std::isnan(exact) || std::signbit(y) == std::signbit(exact)));
      }
    }
  }
}

template <class T>
void check_places() {
  for (const Function<T>& f : functions<T>()) {
    const std::vector<T> x = arguments(f, 70);
    const std::vector<T> whole = applied(f, x);
    for (std::size_t first = 0; first < x.size(); ++first) {
      const std::size_t n = std::min<std::size_t>(x.size() - first, 1 + first % 19);
      std::vector<T> part(n + 1, T(-99));
      f.of(x.data() + first, part.data(), n);
      CHECK(std::memcmp(part.data(), whole.data() + first, n * sizeof(T)) == 0);
      CHECK(part[n] == T(-99));
    }
  }
}

template <class T>
void check_powers() {
  const auto& m = kernels::math<T>();
  using Limits = std::numeric_limits<T>;
  for (int e = Limits::min_exponent - Limits::digits; e < Limits::max_exponent; ++e) {
    const T x = std::ldexp(T{1}, e);
    T y = 0;
    m.log2(&x, &y, 1);
    CHECK(y == static_cast<T>(e));
  }
  T x = 1;
  for (int e = 0; e <= (sizeof(T) == 4 ? 10 : 22); ++e, x *= 10) {  // which T can hold
    T y = 0;
    m.log10(&x, &y, 1);
    CHECK(y == static_cast<T>(e));
  }
}

template <class T>
void check_symmetry() {
  for (const Function<T>& f : functions<T>()) {
    const std::string name = f.name;
    static const std::set<std::string> kEven = {"cos", "cosh"};
    static const std::set<std::string> kOdd = {"sin",  "tan",  "asin",  "atan", "erf",
                                               "sinh", "tanh", "asinh", "atanh"};
    const bool odd = kOdd.contains(name);
    if (!odd && !kEven.contains(name)) continue;
    CAPTURE(name);
    std::vector<T> x = arguments(f, 5000);
    const std::vector<T> y = applied(f, x);
    for (T& argument : x) argument = -argument;
    const std::vector<T> of_minus = applied(f, x);
    for (std::size_t k = 0; k < x.size(); ++k) {
      CHECK((std::isnan(y[k]) || of_minus[k] == (odd ? -y[k] : y[k])));
    }
  }
}

template <class T>
void check_subnormals() {
  const auto& m = kernels::math<T>();
  std::vector<T> x, y(99);
  for (int k = 1; k < 100; ++k) x.push_back(static_cast<T>(k) * std::numeric_limits<T>::denorm_min());
  for (const auto f : {m.sin, m.tan, m.asin, m.atan, m.sinh, m.tanh, m.asinh, m.atanh, m.expm1, m.log1p}) {
    f(x.data(), y.data(), x.size());
    CHECK(x == y);
  }
}

// A step of the argument is many ulp of the result there.
template <class T>
void check_overflow() {
  const auto& m = kernels::math<T>();
  const T end = static_cast<T>(std::asinh(static_cast<Long>(std::numeric_limits<T>::max())));
  T x = end;
  for (int k = 0; k < 20; ++k) x = std::nextafter(x, T{0});
  for (int k = 0; k < 40; ++k, x = std::nextafter(x, 2 * end)) {
    CAPTURE(x);
    T y = 0;
    m.cosh(&x, &y, 1);
    CHECK(error_in_ulps(y, std::cosh(static_cast<Long>(x))) < 1.5);
    m.sinh(&x, &y, 1);
    CHECK(error_in_ulps(y, std::sinh(static_cast<Long>(x))) < 1.5);
  }
}

// Next to a multiple of pi/2, where all leading bits of the argument cancel; up to where <cmath> takes over,
// and beyond.
template <class T>
void check_quarter_turns() {
  const auto& m = kernels::math<T>();
  const Long quarter = std::acos(Long{0});
  const long far = sizeof(T) == 4 ? 2500 : 800000;
  std::vector<T> x;
  for (long n = 1; n < far; n += 1 + n / 1000) x.push_back(static_cast<T>(quarter * static_cast<Long>(n)));
  std::vector<T> sines(x.size()), cosines(x.size());
  m.sin(x.data(), sines.data(), x.size());
  m.cos(x.data(), cosines.data(), x.size());
  for (std::size_t k = 0; k < x.size(); ++k) {
    CHECK(error_in_ulps(sines[k], std::sin(static_cast<Long>(x[k]))) < 1);
    CHECK(error_in_ulps(cosines[k], std::cos(static_cast<Long>(x[k]))) < 1);
  }
}

void on_every_target(void (*check)()) {
  for (const std::int64_t target : kernels::vector_targets()) {
    const std::string name = kernels::target_name(target);
    CAPTURE(name);
    const kernels::ForcedTarget forced(target);
    check();
  }
}

template <class T>
std::vector<std::vector<T>> all_results() {
  std::vector<std::vector<T>> out;
  for (const Function<T>& f : functions<T>()) out.push_back(applied(f, arguments(f, 5000)));
  return out;
}

template <class T>
bool same_bits(const std::vector<std::vector<T>>& a, const std::vector<std::vector<T>>& b) {
  for (std::size_t k = 0; k < a.size(); ++k) {
    for (std::size_t i = 0; i < a[k].size(); ++i) {
      const bool both_nan = std::isnan(a[k][i]) && std::isnan(b[k][i]);
      if (!both_nan && std::bit_cast<Bits<T>>(a[k][i]) != std::bit_cast<Bits<T>>(b[k][i])) return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("vector functions are within a few ulp, from the least to the greatest argument") {
  on_every_target(check_errors<float>);
  on_every_target(check_errors<double>);
}

TEST_CASE("vector functions of zeros, subnormals, infinities and NaN are those of <cmath>") {
  on_every_target(check_special_values<float>);
  on_every_target(check_special_values<double>);
}

TEST_CASE("a vector function of an element does not depend on where it stands") {
  on_every_target(check_places<float>);
  on_every_target(check_places<double>);
}

TEST_CASE("the error function is more exact where multiplication and addition are fused") {
  for (const std::int64_t target : kernels::vector_targets()) {
    if (!std::string(kernels::target_name(target)).starts_with("AVX")) continue;
    const kernels::ForcedTarget forced(target);
    check_fused_errors<float>();
    check_fused_errors<double>();
  }
}

TEST_CASE("the logarithms of powers of two and of ten are exact") {
  on_every_target(check_powers<float>);
  on_every_target(check_powers<double>);
}

TEST_CASE("odd functions are odd, and even ones even, to the bit") {
  on_every_target(check_symmetry<float>);
  on_every_target(check_symmetry<double>);
}

TEST_CASE("functions with slope 1 at 0 leave subnormals as they are") {
  on_every_target(check_subnormals<float>);
  on_every_target(check_subnormals<double>);
}

TEST_CASE("the hyperbolic sine and cosine are finite up to the greatest argument that allows it") {
  on_every_target(check_overflow<float>);
  on_every_target(check_overflow<double>);
}

TEST_CASE("sines and cosines next to multiples of a quarter turn keep their relative error") {
  on_every_target(check_quarter_turns<float>);
  on_every_target(check_quarter_turns<double>);
}

TEST_CASE("AVX2 and AVX-512 give the same vector functions") {
  std::vector<std::vector<float>> single;
  std::vector<std::vector<double>> twofold;
  for (const std::int64_t target : kernels::vector_targets()) {
    const std::string name = kernels::target_name(target);
    if (!name.starts_with("AVX")) continue;
    const kernels::ForcedTarget forced(target);
    if (single.empty()) {
      single = all_results<float>();
      twofold = all_results<double>();
    }
    CHECK(same_bits(single, all_results<float>()));
    CHECK(same_bits(twofold, all_results<double>()));
  }
}

TEST_CASE("silu is x times its sigmoid, and 0 at -Inf") {
  const double x[] = {-std::numeric_limits<double>::infinity(), -745, -2, -0.0, 3, 1000};
  double y[6], s[6];
  kernels::math<double>().silu(x, y, 6);
  kernels::math<double>().sigmoid(x, s, 6);
  CHECK(y[0] == 0);
  for (std::size_t k = 1; k < 6; ++k) CHECK(y[k] == x[k] * s[k]);
}

TEST_CASE("gelu, its approximation and mish are 0 at -Inf, and the identity far above 0") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float x[] = {-infinity, -1e30f, -0.0f, 100, infinity, std::numeric_limits<float>::quiet_NaN()};
  const auto& m = kernels::math<float>();
  float y[3][6];
  m.gelu(x, y[0], 6);
  m.gelu_tanh(x, 0.044715f, 1.5957691f, y[1], 6);
  m.mish(x, y[2], 6);
  for (const auto& of_x : y) {
    CHECK(of_x[0] == 0);
    CHECK(of_x[1] == 0);
    CHECK((of_x[2] == 0 && std::signbit(of_x[2])));
    CHECK(of_x[3] == 100);
    CHECK(of_x[4] == infinity);
    CHECK(std::isnan(of_x[5]));
  }
}

// x is given by its quotient by -sqrt(2), which is rounded: that alone is an error of x^2 / 2 ulp and more.
TEST_CASE("the lower tail of gelu has lost no more than the rounding of its argument") {
  std::vector<double> x, y(1300);
  for (int k = 0; k < 1300; ++k) x.push_back(-0.0101 * k);
  kernels::math<double>().gelu(x.data(), y.data(), x.size());
  for (std::size_t k = 1; k < x.size(); ++k) {
    const Long exact = static_cast<Long>(x[k]) * std::erfc(-x[k] / std::sqrt(Long{2})) / 2;
    CHECK(error_in_ulps(y[k], exact) < 4 + 2 * x[k] * x[k]);
  }
}

TEST_CASE("elu and logaddexp at the ends of their range") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float x[] = {-infinity, -1, -0.0f, 0, 2, infinity};
  float y[6];
  kernels::math<float>().elu(x, 1, 0.5f, y, 6);
  CHECK(y[0] == -0.5f);
  CHECK(y[1] == doctest::Approx(0.5 * std::expm1(-1.0)));
  CHECK(y[2] == 0);
  CHECK(y[4] == 2);
  CHECK(y[5] == infinity);
  const float a[] = {-infinity, infinity, infinity, -infinity, 3, 100};
  const float b[] = {-infinity, infinity, -infinity, 5, 3, -100};
  kernels::math<float>().logaddexp(a, b, y, 6);
  CHECK(y[0] == -infinity);
  CHECK(y[1] == infinity);
  CHECK(y[2] == infinity);
  CHECK(y[3] == 5);
  CHECK(y[4] == doctest::Approx(3 + std::log(2.0)));
  CHECK(y[5] == 100);
}
