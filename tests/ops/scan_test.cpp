#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>

#include "ops/evaluate.hpp"

using namespace backdrop;

namespace {

// The Hessian of a scalar f at x, row by row.
template <class F>
std::vector<double> hessian_of(F f, const Tensor& x) {
  Tape tape;
  const Var a = tape.variable("x", x);
  const Var g = grad(f(a), a);
  std::vector<double> out;
  for (std::int64_t k = 0; k < static_cast<std::int64_t>(x.numel()); ++k) {
    for (double h : numbers(value(grad(select(g, 0, k), a)))) out.push_back(h);
  }
  return out;
}

double product_without(const std::vector<double>& x, std::size_t n, std::size_t i, std::size_t j) {
  double product = 1;
  for (std::size_t k = 0; k < n; ++k) {
    if (k != i && k != j) product *= x[k];
  }
  return product;
}

}  // namespace

TEST_CASE("running sums by hand, along any axis and in reverse") {
  const Tensor x({{1, 2, 3}, {4, 5, 6}}, DType::f64);
  CHECK(results([](Var v) { return cumsum(v, 0); }, x) == std::vector<double>{1, 2, 3, 5, 7, 9});
  CHECK(results([](Var v) { return cumsum(v, -1); }, x) == std::vector<double>{1, 3, 6, 4, 9, 15});
  CHECK(results([](Var v) { return cumsum(v, 1, true); }, x) == std::vector<double>{6, 5, 3, 15, 11, 6});
}

TEST_CASE("running sums of f32 and f64 lose nothing on the way") {
  const auto last = [](Var v) { return select(cumsum(v, 0), 0, -1); };
  const Tensor many = Tensor::full({1'000'000}, 0.1, DType::f32);
  CHECK(results(last, many)[0] == doctest::Approx(1e6 * static_cast<double>(0.1F)).epsilon(1e-7));
  CHECK(results(last, Tensor({1e16, 1, 1, -1e16}, DType::f64))[0] == 2);
}

TEST_CASE("a product has right derivatives of both orders with no zero, one, two and three") {
  for (const std::vector<double>& x :
       {std::vector<double>{2, -3, 4, 0.5}, {2, 0, 4, 0.5}, {0, -3, 0, 0.5}, {0, 0, 4, 0}}) {
    const std::size_t n = x.size();
    const auto first = slopes([](Var v) { return broadcast_to(prod(v), v.shape()); }, vector_of(x));
    const auto second = hessian_of([](Var v) { return prod(v); }, vector_of(x));
    CHECK(results([](Var v) { return prod(v); }, vector_of(x))[0] == product_without(x, n, n, n));
    for (std::size_t i = 0; i < n; ++i) {
      CHECK(first.first[i] == doctest::Approx(4 * product_without(x, n, i, n)));
      for (std::size_t j = 0; j < n; ++j) {
        CHECK(second[i * n + j] == doctest::Approx(i == j ? 0 : product_without(x, n, i, j)));
      }
    }
  }
}

TEST_CASE("products over several axes, and over nothing") {
  const Tensor x({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}, DType::f64);
  CHECK(results([](Var v) { return prod(v, {0, 2}); }, x) == std::vector<double>{60, 672});
  CHECK(results([](Var v) { return prod(v, {1}); }, x) == std::vector<double>{3, 8, 35, 48});
  CHECK(results(
            [](Var v) {
              return grad(sum(prod(v, {0, 2})), v);
            },
            x) == std::vector<double>{60, 30, 224, 168, 12, 10, 96, 84});
  CHECK(results([](Var v) { return prod(v, {0}); }, Tensor::zeros({0, 2})) == std::vector<double>{1, 1});
}

TEST_CASE("running products have right derivatives of both orders where elements are 0") {
  const std::vector<double> x{2, 0, -3, 0, 5};
  CHECK(results([](Var v) { return cumprod(v, 0); }, vector_of(x)) == std::vector<double>{2, 0, 0, 0, 0});
  const std::vector<double> g{1, 10, 100, 1000, 10000};
  const auto weighted = [&](Var v) { return sum(mul(cumprod(v, 0), v.tape().constant(vector_of(g)))); };
  std::vector<double> first(5, 0), second(25, 0);
  for (std::size_t n = 1; n <= 5; ++n) {
    for (std::size_t i = 0; i < n; ++i) {
      first[i] += g[n - 1] * product_without(x, n, i, n);
      for (std::size_t j = 0; j < n; ++j) {
        if (i != j) second[i * 5 + j] += g[n - 1] * product_without(x, n, i, j);
      }
    }
  }
  CHECK(results([&](Var v) { return grad(weighted(v), v); }, vector_of(x)) == first);
  CHECK(hessian_of(weighted, vector_of(x)) == second);
}

TEST_CASE("a recurrence by hand, whose first factor does not matter") {
  const Tensor a({kNaN, 2, 3}, DType::f64), b({1, 10, 100}, DType::f64);
  CHECK(results([](Var p, Var q) { return recurrence(p, q, 0); }, a, b) == std::vector<double>{1, 12, 136});
  const Tensor c({2, 3, kNaN}, DType::f64);
  CHECK(results([](Var p, Var q) { return recurrence(p, q, 0, true); }, c, b) ==
        std::vector<double>{621, 310, 100});
}

TEST_CASE("running logarithms of sums of exponentials neither overflow nor lose -Inf") {
  const auto f = [](Var v) { return logcumsumexp(v, 0); };
  const auto y = results(f, Tensor({1000, 1000, -1000}, DType::f64));
  CHECK(y[1] == doctest::Approx(1000 + std::log(2.0)).epsilon(1e-15));
  CHECK(y[2] == y[1]);
  const Tensor x({-kInf, -kInf, 0, -kInf, 1}, DType::f64);
  const auto z = results(f, x);
  CHECK(z[0] == -kInf);
  CHECK(z[1] == -kInf);
  CHECK(z[2] == 0);
  CHECK(z[4] == doctest::Approx(std::log1p(std::exp(1.0))));
  const double share = 1 / (1 + std::exp(1.0));
  const auto [reverse, forward] = slopes(f, x);
  const std::vector<double> expected{0, 0, 2 + share, 0, 1 - share};
  for (std::size_t k = 0; k < 5; ++k) CHECK(reverse[k] == doctest::Approx(expected[k]));
  for (std::size_t k = 0; k < 5; ++k) CHECK(forward[k] == doctest::Approx(k < 2 ? 0 : 1));
  for (double h : hessian_of([&](Var v) { return select(f(v), 0, -1); }, x)) CHECK(std::isfinite(h));
}

TEST_CASE("scans refuse axes and shapes that do not fit, and the tape stays as it was") {
  Tape tape;
  const Var x = tape.input("x", {2, 3}), y = tape.input("y", {3}), n = tape.input("n", {3}, DType::i64);
  const std::size_t before = tape.size();
  CHECK_THROWS_AS(cumsum(x, 2), ShapeError);
  CHECK_THROWS_AS(cumprod(n, 0), DTypeError);
  CHECK_THROWS_AS(recurrence(x, y, 0), ShapeError);
  CHECK(tape.size() == before);
}
