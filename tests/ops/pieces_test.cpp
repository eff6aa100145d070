#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>

#include "ops/evaluate.hpp"

using namespace backdrop;

TEST_CASE("equal parts, of which the last may be smaller") {
  Tape tape;
  const Var x = tape.constant(Tensor({1, 2, 3, 4, 5}, DType::f64));
  const auto lengths = [](const std::vector<Var>& parts) {
    std::vector<std::int64_t> out;
    for (const Var& part : parts) out.push_back(part.shape()[0]);
    return out;
  };
  CHECK(lengths(split_every(x, 2, 0)) == std::vector<std::int64_t>{2, 2, 1});
  CHECK(lengths(chunk(x, 2, 0)) == std::vector<std::int64_t>{3, 2});
  CHECK(lengths(chunk(x, 4, 0)) == std::vector<std::int64_t>{2, 2, 1});
  CHECK(numbers(value(chunk(x, 2, 0)[1])) == std::vector<double>{4, 5});
  CHECK_THROWS_AS(split_every(x, 0, 0), ShapeError);
  CHECK_THROWS_AS(chunk(x, 0, 0), ShapeError);
}

TEST_CASE("triangles by hand, above and below any diagonal") {
  const Tensor x({{1, 2, 3}, {4, 5, 6}}, DType::f64);
  CHECK(results([](Var v) { return tril(v); }, x) == std::vector<double>{1, 0, 0, 4, 5, 0});
  CHECK(results([](Var v) { return tril(v, 1); }, x) == std::vector<double>{1, 2, 0, 4, 5, 6});
  CHECK(results([](Var v) { return triu(v); }, x) == std::vector<double>{1, 2, 3, 0, 5, 6});
  CHECK(results([](Var v) { return triu(v, -1); }, x) == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(results([](Var v) { return triu(v, 9); }, x) == std::vector<double>{0, 0, 0, 0, 0, 0});
}

TEST_CASE("the row for padding is looked up like any other, and receives no gradient") {
  Tape tape;
  const Var table = tape.variable("table", Tensor({{1, 2}, {3, 4}, {5, 6}}, DType::f64));
  const Var indices = tape.constant(Tensor({{0, 2}, {2, 0}}, DType::i64));
  const Var rows = embedding(table, indices, -1);
  CHECK(numbers(value(rows)) == std::vector<double>{1, 2, 5, 6, 5, 6, 1, 2});
  CHECK(numbers(value(grad(sum(rows), table))) == std::vector<double>{2, 2, 0, 0, 0, 0});
  CHECK(numbers(value(grad(sum(embedding(table, indices)), table))) == std::vector<double>{2, 2, 0, 0, 2, 2});
  CHECK_THROWS_AS(embedding(table, indices, 3), ValueError);
}

TEST_CASE("a standard deviation is the root of the variance, with derivative zero where it is zero") {
  const Tensor x({{1, 2, 3, 4}, {5, 5, 5, 5}}, DType::f64);
  const auto f = [](Var v) { return stddev(v, {1}, 1); };
  CHECK(results(f, x)[0] == doctest::Approx(std::sqrt(5.0 / 3)).epsilon(1e-15));
  CHECK(results(f, x)[1] == 0);
  const auto g = results([&](Var v) { return grad(sum(f(v)), v); }, x);
  CHECK(g[0] == doctest::Approx(-1.5 / (3 * std::sqrt(5.0 / 3))));
  CHECK(std::vector<double>(g.begin() + 4, g.end()) == std::vector<double>{0, 0, 0, 0});
  const auto h = results([&](Var v) { return grad(sum(square(grad(sum(f(v)), v))), v); }, x);
  CHECK(std::vector<double>(h.begin() + 4, h.end()) == std::vector<double>{0, 0, 0, 0});
}
