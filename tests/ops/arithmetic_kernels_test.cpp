#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/arithmetic.hpp"
#include "kernels/targets.hpp"

using namespace backdrop;

namespace {

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

// Every pair of special values meets once, at varying places in vectors and tails.
template <class T>
struct Operands {
  using Limits = std::numeric_limits<T>;
  std::vector<T> a, b;
  std::vector<std::uint8_t> mask;

  explicit Operands(std::size_t n) : a(n), b(n), mask(n / 8 + 1) {
    const std::vector<T> special{0,
                                 T{-0.0},
                                 1,
                                 -1,
                                 T(0.7),
                                 T(-2.5),
                                 Limits::denorm_min(),
                                 -Limits::denorm_min(),
                                 Limits::min() / 3,
                                 Limits::min(),
                                 Limits::max(),
                                 Limits::lowest(),
                                 Limits::infinity(),
                                 -Limits::infinity(),
                                 Limits::quiet_NaN(),
                                 -Limits::quiet_NaN()};
    for (std::size_t k = 0; k < n; ++k) {
      a[k] = special[k % special.size()];
      b[k] = special[k / special.size() % special.size()];
      const auto bit = static_cast<unsigned>(k * 0x9E3779B97F4A7C15U >> 63);
      mask[k / 8] = static_cast<std::uint8_t>(mask[k / 8] | bit << k % 8);
    }
  }
  bool kept(std::size_t k) const { return kernels::bit(mask.data(), k); }
};

template <class T>
bool same(T x, T y) {
  return std::bit_cast<Bits<T>>(x) == std::bit_cast<Bits<T>>(y) || (std::isnan(x) && std::isnan(y));
}

constexpr std::size_t kPairs = 16 * 16;

// Runs `check(n)` for lengths around every vector and group of mask bits, on every instruction set.
template <class Check>
void on_every_target(Check check) {
  const auto targets = kernels::vector_targets();
  REQUIRE_FALSE(targets.empty());
  for (const std::int64_t target : targets) {
    const std::string name = kernels::target_name(target);
    CAPTURE(name);
    const kernels::ForcedTarget forced(target);
    for (std::size_t n = 0; n <= 70; ++n) check(n);
    for (std::size_t n : {std::size_t{127}, std::size_t{128}, std::size_t{129}, kPairs, kPairs + 61})
      check(n);
  }
}

// `run` writes n numbers; element k must have the bits of expected(k), and what follows must be left alone.
template <class T, class Run, class Expected>
void check_numbers(std::size_t n, const std::string& what, Run run, Expected expected) {
  std::vector<T> y(n + 1, T(77));
  run(y.data());
  for (std::size_t k = 0; k < n; ++k) {
    if (same(y[k], expected(k))) continue;
    FAIL_CHECK(what << ": element " << k << " of " << n << " is " << y[k] << ", not " << expected(k));
  }
  CHECK(y[n] == T(77));
}

template <class Run, class Expected>
void check_bits(std::size_t n, const std::string& what, Run run, Expected expected) {
  const std::size_t bytes = (n + 7) / 8;
  std::vector<std::uint8_t> y(bytes + 1, 0xA5);
  run(y.data());
  for (std::size_t k = 0; k < 8 * bytes; ++k) {
    if (kernels::bit(y.data(), k) == (k < n && expected(k))) continue;
    FAIL_CHECK(what << ": bit " << k << " of " << n);
  }
  CHECK(y[bytes] == 0xA5);
}

template <class T, class F>
void check_unary(typename kernels::Arithmetic<T>::Unary kernels::Arithmetic<T>::*member, const char* what,
                 F f) {
  on_every_target([=](std::size_t n) {
    const Operands<T> x(n);
    const auto run = kernels::arithmetic<T>().*member;
    check_numbers<T>(
        n, what, [&](T* y) { run(x.a.data(), y, n); }, [&](std::size_t k) { return f(x.a[k]); });
    check_numbers<T>(
        n, what,
        [&](T* y) {
          std::copy(x.a.begin(), x.a.end(), y);
          run(y, y, n);
        },
        [&](std::size_t k) { return f(x.a[k]); });
  });
}

template <class T, class F>
void check_binary(typename kernels::Arithmetic<T>::Binary kernels::Arithmetic<T>::*member, const char* what,
                  F f) {
  on_every_target([=](std::size_t n) {
    const Operands<T> x(n);
    const auto run = kernels::arithmetic<T>().*member;
    check_numbers<T>(
        n, what, [&](T* y) { run(x.a.data(), x.b.data(), y, n); },
        [&](std::size_t k) { return f(x.a[k], x.b[k]); });
    check_numbers<T>(
        n, what,
        [&](T* y) {
          std::copy(x.b.begin(), x.b.end(), y);
          run(x.a.data(), y, y, n);
        },
        [&](std::size_t k) { return f(x.a[k], x.b[k]); });
  });
}

template <class T, class F>
void check_relation(typename kernels::Arithmetic<T>::Relation kernels::Arithmetic<T>::*member,
                    const char* what, F f) {
  on_every_target([=](std::size_t n) {
    const Operands<T> x(n);
    const auto run = kernels::arithmetic<T>().*member;
    check_bits(
        n, what, [&](std::uint8_t* y) { run(x.a.data(), x.b.data(), y, n); },
        [&](std::size_t k) { return f(x.a[k], x.b[k]); });
  });
}

}  // namespace

TEST_CASE_TEMPLATE("arithmetic kernels give the bits of the scalar formula on every target", T, float,
                   double) {
  using A = kernels::Arithmetic<T>;
  check_unary<T>(&A::neg, "neg", [](T x) { return -x; });
  check_unary<T>(&A::abs, "abs", [](T x) { return std::abs(x); });
  check_unary<T>(&A::square, "square", [](T x) { return x * x; });
  check_unary<T>(&A::sqrt, "sqrt", [](T x) { return std::sqrt(x); });
  check_unary<T>(&A::reciprocal, "reciprocal", [](T x) { return 1 / x; });
  check_unary<T>(&A::rsqrt, "rsqrt", [](T x) { return 1 / std::sqrt(x); });
  check_unary<T>(&A::relu, "relu", [](T x) { return x > 0 || std::isnan(x) ? x : T{0}; });
  check_unary<T>(&A::floor, "floor", [](T x) { return std::floor(x); });
  check_unary<T>(&A::ceil, "ceil", [](T x) { return std::ceil(x); });
  check_unary<T>(&A::round, "round", [](T x) { return std::nearbyint(x); });
  check_binary<T>(&A::add, "add", [](T x, T y) { return x + y; });
  check_binary<T>(&A::sub, "sub", [](T x, T y) { return x - y; });
  check_binary<T>(&A::mul, "mul", [](T x, T y) { return x * y; });
  check_binary<T>(&A::div, "div", [](T x, T y) { return x / y; });
  check_binary<T>(&A::maximum, "maximum", [](T x, T y) { return x > y || std::isnan(x) ? x : y; });
  check_binary<T>(&A::minimum, "minimum", [](T x, T y) { return x < y || std::isnan(x) ? x : y; });
}

TEST_CASE_TEMPLATE("multiply_add rounds the product, too, on every target", T, float, double) {
  on_every_target([](std::size_t n) {
    const Operands<T> x(n);
    std::vector<T> c(x.b.rbegin(), x.b.rend());
    const auto expected = [&](std::size_t k) {
      const volatile T product = x.a[k] * x.b[k];
      return product + c[k];
    };
    const auto run = kernels::arithmetic<T>().multiply_add;
    check_numbers<T>(
        n, "multiply_add", [&](T* y) { run(x.a.data(), x.b.data(), c.data(), y, n); }, expected);
    check_numbers<T>(
        n, "multiply_add, over c",
        [&](T* y) {
          std::copy(c.begin(), c.end(), y);
          run(x.a.data(), x.b.data(), y, y, n);
        },
        expected);
  });
}

TEST_CASE_TEMPLATE("comparison kernels write the scalar answer as bits on every target", T, float, double) {
  using A = kernels::Arithmetic<T>;
  check_relation<T>(&A::greater, "greater", [](T x, T y) { return x > y; });
  check_relation<T>(&A::greater_equal, "greater_equal", [](T x, T y) { return x >= y; });
  check_relation<T>(&A::less, "less", [](T x, T y) { return x < y; });
  check_relation<T>(&A::less_equal, "less_equal", [](T x, T y) { return x <= y; });
  check_relation<T>(&A::equal, "equal", [](T x, T y) { return x == y; });
  check_relation<T>(&A::not_equal, "not_equal", [](T x, T y) { return x != y; });
  on_every_target([](std::size_t n) {
    const Operands<T> x(n);
    check_bits(
        n, "nonzero", [&](std::uint8_t* y) { kernels::arithmetic<T>().nonzero(x.a.data(), y, n); },
        [&](std::size_t k) { return x.a[k] != 0; });
  });
}

TEST_CASE_TEMPLATE("kernels with a factor or a mask give the bits of the scalar formula on every target", T,
                   float, double) {
  on_every_target([](std::size_t n) {
    const Operands<T> x(n);
    const auto& run = kernels::arithmetic<T>();
    const T factor = T(1 / 0.9);
    check_numbers<T>(
        n, "scale", [&](T* y) { run.scale(x.a.data(), factor, y, n); },
        [&](std::size_t k) { return x.a[k] * factor; });
    check_numbers<T>(
        n, "select", [&](T* y) { run.select(x.mask.data(), x.a.data(), x.b.data(), y, n); },
        [&](std::size_t k) { return x.kept(k) ? x.a[k] : x.b[k]; });
    check_numbers<T>(
        n, "indicate", [&](T* y) { run.indicate(x.mask.data(), y, n); },
        [&](std::size_t k) { return x.kept(k) ? T{1} : T{0}; });
    check_numbers<T>(
        n, "fill", [&](T* y) { run.fill(x.a.data(), x.mask.data(), factor, y, n); },
        [&](std::size_t k) { return x.kept(k) ? factor : x.a[k]; });
    check_numbers<T>(
        n, "keep", [&](T* y) { run.keep(x.a.data(), x.mask.data(), y, n); },
        [&](std::size_t k) { return x.kept(k) ? x.a[k] : T{0}; });
    check_numbers<T>(
        n, "keep_scaled",
        [&](T* y) {
          std::copy(x.a.begin(), x.a.end(), y);
          run.keep_scaled(y, x.mask.data(), factor, y, n);
        },
        [&](std::size_t k) { return x.kept(k) ? x.a[k] * factor : T{0}; });
  });
}
