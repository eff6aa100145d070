#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>

#include "ops/evaluate.hpp"

using namespace backdrop;

TEST_CASE("positions that sort, along any axis and in both directions") {
  const Tensor x({{3, 1, 2}, {4, 6, 5}}, DType::f64);
  CHECK(results([](Var v) { return argsort(v); }, x) == std::vector<double>{1, 2, 0, 0, 2, 1});
  CHECK(results([](Var v) { return argsort(v, -1, true); }, x) == std::vector<double>{0, 2, 1, 1, 2, 0});
  CHECK(results([](Var v) { return argsort(v, 0, true); }, x) == std::vector<double>{1, 1, 1, 0, 0, 0});
  CHECK(results([](Var v) { return sort(v, 0).values; }, x) == std::vector<double>{3, 1, 2, 4, 6, 5});
}

TEST_CASE("equal elements keep their order in both directions, and NaN is the greatest") {
  const Tensor x({1, kNaN, 0, -0.0, kInf, 1, kNaN, -kInf}, DType::f64);
  CHECK(results([](Var v) { return argsort(v); }, x) == std::vector<double>{7, 2, 3, 0, 5, 4, 1, 6});
  CHECK(results([](Var v) { return argsort(v, 0, true); }, x) == std::vector<double>{1, 6, 4, 0, 5, 2, 3, 7});
}

TEST_CASE("the derivative of a sorted value goes where the value came from, a tie to the first") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({2, 1, 2, 0}, DType::f64));
  const Var g = tape.constant(Tensor({1, 10, 100, 1000}, DType::f64));
  CHECK(numbers(value(vjp(sort(x).values, x, g))) == std::vector<double>{100, 10, 1000, 1});
  CHECK(numbers(value(vjp(sort(x, 0, true).values, x, g))) == std::vector<double>{1, 100, 10, 1000});
  CHECK(numbers(value(grad(sum(topk(x, 1).values), x))) == std::vector<double>{1, 0, 0, 0});
}

TEST_CASE("the greatest and the least k, with their positions") {
  const Tensor x({{3, 1, 2}, {4, 6, 5}}, DType::f64);
  CHECK(results([](Var v) { return topk(v, 2).values; }, x) == std::vector<double>{3, 2, 6, 5});
  CHECK(results([](Var v) { return topk(v, 2).indices; }, x) == std::vector<double>{0, 2, 1, 2});
  CHECK(results([](Var v) { return topk(v, 1, 0, false).values; }, x) == std::vector<double>{3, 1, 2});
  CHECK(results([](Var v) { return topk(v, 0).values; }, x).empty());
  Tape tape;
  const Var v = tape.input("x", {3});
  const std::size_t before = tape.size();
  CHECK_THROWS_AS(topk(v, 4), ShapeError);
  CHECK_THROWS_AS(argsort(tape.input("i", {3}, DType::i64)), DTypeError);
  CHECK(tape.size() == before + 1);
}

TEST_CASE("any and all of a mask") {
  const Tensor x = Tensor::mask({{1, 0, 0}, {0, 0, 0}, {1, 1, 1}});
  CHECK(results([](Var v) { return any(v, {1}); }, x) == std::vector<double>{1, 0, 1});
  CHECK(results([](Var v) { return all(v, {1}); }, x) == std::vector<double>{0, 0, 1});
  CHECK(results([](Var v) { return any(v); }, x) == std::vector<double>{1});
  CHECK(results([](Var v) { return all(v); }, x) == std::vector<double>{0});
  const Tensor none = Tensor::zeros({0}, DType::mask);
  CHECK(results([](Var v) { return any(v); }, none) == std::vector<double>{0});
  CHECK(results([](Var v) { return all(v); }, none) == std::vector<double>{1});
}
