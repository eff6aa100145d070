#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <backdrop/core/error.hpp>
#include <cmath>
#include <limits>

#include "differences.hpp"

namespace bd = backdrop;
using bd::DType;
using bd::Shape;
using bd::Tensor;
using bd::Var;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

void check_near(const Tensor& y, const Tensor& expected, double tolerance) {
  REQUIRE(y.shape() == expected.shape());
  for (std::size_t k = 0; k < y.numel(); ++k) {
    CHECK(std::abs(y.at(k) - expected.at(k)) <= tolerance * std::abs(expected.at(k)));
  }
}

}  // namespace

TEST_CASE("softmax by hand: weights 1 : 2 : 4, along any axis") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const double epsilon = dtype == DType::f32 ? 0x1p-22 : 0x1p-51;
    bd::Tape tape;
    const double log2 = std::log(2.0);
    const Var x = tape.constant(Tensor({{0, log2, 2 * log2}, {7, 7, 7}}, dtype));
    const double third = 1.0 / 3;
    check_near(value(bd::softmax(x)), Tensor({{1.0 / 7, 2.0 / 7, 4.0 / 7}, {third, third, third}}, dtype),
               epsilon);
    const Var z = tape.constant(Tensor({{0, 5}, {log2, 5}, {2 * log2, 5}}, dtype));
    check_near(value(bd::softmax(z, 0)),
               Tensor({{1.0 / 7, third}, {2.0 / 7, third}, {4.0 / 7, third}}, dtype), epsilon);
    CHECK(value(bd::softmax(z, -2)).same_bits(value(bd::softmax(z, 0))));
    const double log7 = std::log(7.0);
    check_near(
        value(bd::log_softmax(x, 1)),
        Tensor({{-log7, log2 - log7, 2 * log2 - log7}, {-std::log(3), -std::log(3), -std::log(3)}}, dtype),
        4 * epsilon);
    check_near(value(bd::logsumexp(x, {1})), Tensor({log7, 7 + std::log(3)}, dtype), epsilon);
  }
}

TEST_CASE("logits of +-10,000 neither overflow nor lose the answer") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    bd::Tape tape;
    const Var x = tape.constant(Tensor({{1e4, -1e4, 0}, {-1e4, -1e4, -1e4}, {1e4, 1e4, -1e4}}, dtype));
    check_near(value(bd::softmax(x)), Tensor({{1, 0, 0}, {1 / 3., 1 / 3., 1 / 3.}, {.5, .5, 0}}, dtype),
               1e-7);
    const double log2 = std::log(2.0), log3 = std::log(3.0);
    check_near(value(bd::log_softmax(x)),
               Tensor({{0, -2e4, -1e4}, {-log3, -log3, -log3}, {-log2, -log2, -2e4 - log2}}, dtype), 1e-7);
    check_near(value(bd::logsumexp(x, {-1})), Tensor({1e4, log3 - 1e4, 1e4 + log2}, dtype), 1e-7);
  }
}

TEST_CASE("log_softmax keeps the digits of small probabilities of being wrong") {
  bd::Tape tape;
  const Var x = tape.constant(Tensor({{0, -50}}, DType::f64));
  check_near(value(bd::log_softmax(x)), Tensor({{-std::exp(-50.0), -50}}, DType::f64), 1e-15);
}

TEST_CASE("an impossible class has probability zero, and leaves the others alone") {
  bd::Tape tape;
  const Var x = tape.constant(Tensor({{0, -kInf, 0}}, DType::f64));
  CHECK(value(bd::softmax(x)).same_bits(Tensor({{.5, 0, .5}}, DType::f64)));
  const Tensor logs = value(bd::log_softmax(x));
  CHECK(logs.at(0) == -std::log(2.0));
  CHECK(logs.at(1) == -kInf);
  const Var a = tape.variable("a", Tensor({{0, -kInf, 0}}, DType::f64));
  CHECK(value(grad(bd::sum(bd::logsumexp(a, {1})), a)).same_bits(Tensor({{.5, 0, .5}}, DType::f64)));
}

TEST_CASE("logsumexp of infinities") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    bd::Tape tape;
    const Var x = tape.constant(Tensor({{-kInf, -kInf}, {kInf, 0}, {kInf, -kInf}, {3, -kInf}}, dtype));
    CHECK(value(bd::logsumexp(x, {1})).same_bits(Tensor({-kInf, kInf, kInf, 3}, dtype)));
    const Var nan = tape.constant(Tensor({{0, std::nan("")}, {std::nan(""), kInf}}, dtype));
    const Tensor y = value(bd::logsumexp(nan, {1}));
    CHECK(std::isnan(y.at(0)));
    CHECK(std::isnan(y.at(1)));
    CHECK(std::isnan(value(bd::softmax(nan)).at(0)));
    CHECK(std::isnan(value(bd::softmax(tape.constant(Tensor({{-kInf, -kInf}}, dtype)))).at(0)));
  }
}

TEST_CASE("where all terms of logsumexp are -Inf they receive 0, in both modes") {
  bd::Tape tape;
  const Var x = tape.variable("x", Tensor({{-kInf, -kInf}, {0, -kInf}}, DType::f64));
  const Var y = bd::logsumexp(x, {1});
  CHECK(value(bd::grad(bd::sum(y), x)).same_bits(Tensor({{0, 0}, {1, 0}}, DType::f64)));
  CHECK(value(bd::jvp(y, x, bd::full_like(x, 1))).same_bits(Tensor({0, 1}, DType::f64)));
}

TEST_CASE("derivatives of the softmax family") {
  for (const std::int64_t axis : {0, 1, -1}) {
    differences::check_shape({2, 3, 4}, [&](Var x) { return bd::softmax(x, axis); });
    differences::check_shape({2, 3, 4}, [&](Var x) { return bd::log_softmax(x, axis); });
    differences::check_shape({2, 3, 4}, [&](Var x) { return bd::logsumexp(x, {axis}, true); });
  }
  differences::check_shape({2, 3, 4}, [](Var x) { return bd::logsumexp(x, {0, 2}); });
  differences::check_shape({2, 3}, [](Var x) { return bd::logsumexp(x); });
}

TEST_CASE("the softmax family refuses axes that are not there or empty") {
  bd::Tape tape;
  const Var x = tape.constant(Tensor::zeros({2, 0}));
  const std::size_t before = tape.size();
  CHECK_THROWS_AS(bd::softmax(x), bd::ShapeError);
  CHECK_THROWS_AS(bd::log_softmax(x, 2), bd::ShapeError);
  CHECK_THROWS_AS(bd::logsumexp(x), bd::ShapeError);
  CHECK_THROWS_AS(bd::softmax(tape.constant(Tensor::scalar(1))), bd::ShapeError);
  CHECK_THROWS_AS(bd::softmax(tape.constant(Tensor::arange(3))), bd::DTypeError);
  CHECK(tape.size() == before + 2);
  CHECK(value(bd::softmax(x, 0)).numel() == 0);
}

TEST_CASE("lines that lie apart have the softmax and the logsumexp that they have as rows") {
  for (const std::int64_t n : {1, 3, 300, 4096, 5000}) {
    CAPTURE(n);
    bd::Tape tape;
    const Shape rows{7, n};
    std::vector<double> numbers(rows.numel());
    for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = static_cast<double>(k * 7919 % 1009) / 100;
    const Var x = tape.constant(Tensor::from(numbers, rows)), columns = bd::transpose(x);
    const auto check = [&](Var of_columns, Var of_rows) {
      const Tensor found = bd::value(of_columns), expected = bd::value(of_rows);
      REQUIRE(found.shape() == expected.shape());
      for (std::size_t k = 0; k < found.numel(); ++k) {
        if (found.data<double>()[k] == doctest::Approx(expected.data<double>()[k]).epsilon(1e-14)) continue;
        FAIL_CHECK("element " << k << ": " << found.data<double>()[k] << ", of rows "
                              << expected.data<double>()[k]);
        break;
      }
    };
    check(bd::transpose(bd::softmax(columns, 0)), bd::softmax(x, 1));
    check(bd::transpose(bd::log_softmax(columns, 0)), bd::log_softmax(x, 1));
    check(bd::logsumexp(columns, {0}), bd::logsumexp(x, {1}));
  }
}
