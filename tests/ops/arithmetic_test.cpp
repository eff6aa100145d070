#include <doctest/doctest.h>
#include <backdrop/backdrop.hpp>
#include <cmath>

#include "ops/evaluate.hpp"

using namespace backdrop;
using Numbers = std::vector<double>;

TEST_CASE("arithmetic takes a number on either side") {
  for (DType dtype : {DType::f32, DType::f64}) {
    const Tensor x({1, -2, 4}, dtype);
    CHECK(results([](Var a) { return a + 1; }, x) == Numbers{2, -1, 5});
    CHECK(results([](Var a) { return 1 - a; }, x) == Numbers{0, 3, -3});
    CHECK(results([](Var a) { return a - 1; }, x) == Numbers{0, -3, 3});
    CHECK(results([](Var a) { return 2.0 * a; }, x) == Numbers{2, -4, 8});
    CHECK(results([](Var a) { return a / 2; }, x) == Numbers{0.5, -1, 2});
    CHECK(results([](Var a) { return 2 / a; }, x) == Numbers{2, -1, 0.5});
    CHECK(results([](Var a) { return -a; }, x) == Numbers{-1, 2, -4});
    CHECK(results([](Var a) { return maximum(a, 0); }, x) == Numbers{1, 0, 4});
    CHECK(results([](Var a) { return minimum(2, a); }, x) == Numbers{1, -2, 2});
  }
}

TEST_CASE("operators record the line of the user") {
  Tape tape;
  const Var a = tape.variable("a", Tensor({1, 2}));
  const unsigned line = __LINE__ + 1;
  const Var b = -(1.0 - a) / 2.0;
  for (std::size_t k = a.index() + 1; k <= b.index(); ++k) {
    CHECK(tape.where(tape.node(k)).line == line);
    CHECK(std::string(tape.where(tape.node(k)).file) == "arithmetic_test.cpp");
  }
}

TEST_CASE("binary operations broadcast, and sum their gradients back") {
  const Tensor column({{1}, {2}}, DType::f64);
  const Tensor row({4, 8, 16}, DType::f64);
  CHECK(results([](Var a, Var b) { return a - b; }, column, row) == Numbers{-3, -7, -15, -2, -6, -14});
  CHECK(results([](Var a, Var b) { return b / a; }, column, row) == Numbers{4, 8, 16, 2, 4, 8});
  const auto [by_column, by_row] = slopes2([](Var a, Var b) { return b / a; }, column, row);
  CHECK(by_column == Numbers{-28, -7});
  CHECK(by_row == Numbers{1.5, 1.5, 1.5});
  const auto [minus_column, minus_row] = slopes2([](Var a, Var b) { return a - b; }, column, row);
  CHECK(minus_column == Numbers{3, 3});
  CHECK(minus_row == Numbers{-2, -2, -2});
}

TEST_CASE("maximum and minimum pass NaN on from either side") {
  const Tensor a({kNaN, 1, kNaN, 1, -kInf}, DType::f64);
  const Tensor b({1, kNaN, kNaN, 2, 0}, DType::f64);
  const auto larger = results([](Var x, Var y) { return maximum(x, y); }, a, b);
  const auto smaller = results([](Var x, Var y) { return minimum(x, y); }, a, b);
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(std::isnan(larger[k]));
    CHECK(std::isnan(smaller[k]));
  }
  CHECK(Numbers(larger.begin() + 3, larger.end()) == Numbers{2, 0});
  CHECK(Numbers(smaller.begin() + 3, smaller.end()) == Numbers{1, -kInf});
}

TEST_CASE("at a tie of maximum or minimum each side receives half of the cotangent") {
  const Tensor a({1, 2, 3}, DType::f64);
  const Tensor b({3, 2, 1}, DType::f64);
  const auto largest = slopes2([](Var x, Var y) { return maximum(x, y); }, a, b);
  CHECK(largest.first == Numbers{0, 0.5, 1});
  CHECK(largest.second == Numbers{1, 0.5, 0});
  const auto smallest = slopes2([](Var x, Var y) { return minimum(x, y); }, a, b);
  CHECK(smallest.first == Numbers{1, 0.5, 0});
  CHECK(smallest.second == Numbers{0, 0.5, 1});
  const auto [reverse, forward] = slopes([](Var x) { return maximum(x, x); }, a);
  CHECK(reverse == Numbers{1, 1, 1});
  CHECK(forward == Numbers{1, 1, 1});
}

TEST_CASE("the side that loses receives exactly 0, whatever the cotangent") {
  Tape tape;
  const Var a = tape.variable("a", Tensor({1.0, 5.0}));
  const Var y = maximum(a, 2);
  const Var g = vjp(y, a, tape.constant(Tensor({kInf, 3.0})));
  CHECK(numbers(value(g)) == Numbers{0, 3});
}

TEST_CASE("pow follows C at zero, at infinity and for negative bases") {
  const Tensor x = vector_of({0.0, -0.0, -8, kInf, kNaN});
  for (double exponent : {0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 0.5}) {
    CAPTURE(exponent);
    const auto y = results([&](Var a) { return pow(a, exponent); }, x);
    for (std::size_t k = 0; k < y.size(); ++k) {
      const double expected = std::pow(x.at(k), exponent);
      CHECK((y[k] == expected || (std::isnan(y[k]) && std::isnan(expected))));
    }
  }
}

TEST_CASE("the derivatives of a power with a whole exponent end in exact zeros, at 0 too") {
  const Tensor x = vector_of({0.0, 3.0});
  auto f = [](Var a) { return pow(a, 2); };
  auto d1 = [&](Var a) { return grad(sum(f(a)), a); };
  auto d2 = [&](Var a) { return grad(sum(d1(a)), a); };
  auto d3 = [&](Var a) { return grad(sum(d2(a)), a); };
  CHECK(slopes(f, x).first == Numbers{0, 6});
  CHECK(slopes(d1, x).first == Numbers{2, 2});
  CHECK(slopes(d2, x).first == Numbers{0, 0});
  CHECK(slopes(d3, x).first == Numbers{0, 0});
  CHECK(slopes([](Var a) { return pow(a, 0); }, x).second == Numbers{0, 0});
}

TEST_CASE("a power of tensors takes a number on either side, and agrees with the power by a number") {
  const Tensor x({0.5, 1, 3}, DType::f64);
  CHECK(results([](Var v) { return pow(2.0, v); }, x) == std::vector<double>{std::sqrt(2.0), 2, 8});
  CHECK(results([](Var v) { return pow(Operand(v), 2.0); }, x) == std::vector<double>{0.25, 1, 9});
  CHECK(slopes([](Var v) { return pow(v, full_like(v, 2.5)); }, x).first[2] ==
        doctest::Approx(2.5 * std::pow(3.0, 1.5)));
  CHECK(slopes([](Var v) { return pow(2.0, v); }, x).first[2] == doctest::Approx(8 * std::log(2.0)));
}

TEST_CASE("at base 0 and at exponent 0 a power of tensors has the derivatives of a constant") {
  const auto f = [](Var a, Var b) { return pow(a, b); };
  const Tensor a({0, 0, 0, 0, 2, -2}, DType::f64), b({0, 0.5, 1, 2, 0, 2}, DType::f64);
  CHECK(results(f, a, b) == std::vector<double>{1, 0, 0, 0, 1, 4});
  const auto [by_a, by_b] = slopes2(f, a, b);
  CHECK(by_a == std::vector<double>{0, kInf, 1, 0, 0, -4});
  CHECK(std::vector<double>(by_b.begin(), by_b.begin() + 4) == std::vector<double>{0, 0, 0, 0});
  CHECK(by_b[4] == doctest::Approx(std::log(2.0)));
  CHECK(std::isnan(by_b[5]));
}

TEST_CASE("the sign of a zero and NaN pass through sign") {
  const auto y = results([](Var a) { return sign(a); }, vector_of({3, -2, 0.0, -0.0}));
  CHECK(y == Numbers{1, -1, 0, 0});
  CHECK_FALSE(std::signbit(y[2]));
  CHECK(std::signbit(y[3]));
}

TEST_CASE("a binary operation that fails leaves the tape as it was") {
  Tape tape;
  const Var single = tape.variable("single", Tensor({{1, 2}}));
  const Var twice = tape.variable("twice", Tensor({{1, 2}, {3, 4}}, DType::f64));
  const Var integers = tape.constant(Tensor({1, 2}, DType::i64));
  const Var three = tape.constant(Tensor({1, 2, 3}));
  const std::size_t size = tape.size();
  CHECK_THROWS_AS(sub(single, twice), DTypeError);
  CHECK_THROWS_AS(div(single, twice), DTypeError);
  CHECK_THROWS_AS(add(single, twice), DTypeError);
  CHECK_THROWS_AS(mul(single, twice), DTypeError);
  CHECK_THROWS_AS(maximum(integers, single), DTypeError);
  CHECK_THROWS_AS(integers - integers, DTypeError);
  CHECK_THROWS_AS(single - three, ShapeError);
  CHECK_THROWS_AS(sub(1, 2), ValueError);
  CHECK_THROWS_AS(sub(Var{}, 2), TapeError);
  CHECK(tape.size() == size);
}
