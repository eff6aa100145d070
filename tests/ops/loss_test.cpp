#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <backdrop/core/error.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "differences.hpp"

namespace bd = backdrop;
using bd::DType;
using bd::Reduction;
using bd::Shape;
using bd::Tensor;
using bd::Var;

namespace {

Tensor labels(std::initializer_list<bd::NestedList> numbers) { return Tensor(numbers, DType::i64); }

}  // namespace

TEST_CASE("cross entropies by hand: uniform logits cost log C") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const double epsilon = dtype == DType::f32 ? 0x1p-23 : 0x1p-52;
    bd::Tape tape;
    const double log2 = std::log(2.0), log3 = std::log(3.0), log7 = std::log(7.0);
    const Var x = tape.constant(Tensor({{5, 5, 5}, {0, log2, 2 * log2}}, dtype));
    const Var at = tape.constant(labels({0, 1}));
    const Tensor each = value(bd::cross_entropy(x, at, Reduction::none));
    CHECK(each.shape() == Shape{2});
    CHECK(std::abs(each.at(0) - log3) <= 2 * epsilon);
    CHECK(std::abs(each.at(1) - (log7 - log2)) <= 2 * epsilon);
    const double sum = log3 + log7 - log2;
    CHECK(std::abs(value(bd::cross_entropy(x, at, Reduction::sum)).item() - sum) <= 4 * epsilon);
    CHECK(std::abs(value(bd::cross_entropy(x, at)).item() - sum / 2) <= 2 * epsilon);
  }
}

TEST_CASE("cross entropy of sure logits: right costs nothing, wrong the distance") {
  bd::Tape tape;
  const Var x = tape.constant({{1e4, -1e4}, {1e4, -1e4}});
  const Var at = tape.constant(labels({0, 1}));
  CHECK(value(bd::cross_entropy(x, at, Reduction::none)).same_bits({0, 2e4}));
  const Var sure = tape.constant(Tensor({{0, -50}}, DType::f64));
  const double loss = value(bd::cross_entropy(sure, tape.constant(labels({0})))).item();
  CHECK(loss / std::exp(-50.0) == doctest::Approx(1).epsilon(1e-14));
}

TEST_CASE("an expanded cross entropy of sure logits is the same, and so is its gradient") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    bd::Tape tape;
    const Tensor logits = Tensor({{1e4, -1e4}, {1e4, -1e4}}, dtype);
    const Var x = tape.variable("x", logits);
    const Var loss = bd::cross_entropy(x, tape.constant(labels({0, 1})), Reduction::none);
    const bd::Rewrite opened = bd::expand(tape);
    const Var y = opened(loss);
    CHECK(value(y).same_bits(Tensor({0, 2e4}, dtype)));
    CHECK(value(grad(bd::sum(y), opened(x))).same_bits(Tensor({{0, 0}, {1, -1}}, dtype)));
  }
}

TEST_CASE("the gradient of cross entropy is (softmax - one_hot) / N") {
  bd::Tape tape;
  const Var x = tape.variable("x", Tensor({{0, 0}, {0, 0}}, DType::f64));
  const Var at = tape.constant(labels({0, 1}));
  CHECK(value(grad(bd::cross_entropy(x, at), x)).same_bits(Tensor({{-.25, .25}, {.25, -.25}}, DType::f64)));
  const Var hard =
      tape.variable("hard", Tensor({{0, -std::numeric_limits<double>::infinity()}, {1e4, -1e4}}, DType::f64));
  CHECK(value(grad(bd::cross_entropy(hard, at, Reduction::sum), hard))
            .same_bits(Tensor({{0, 0}, {1, -1}}, DType::f64)));
}

TEST_CASE("derivatives of losses") {
  const Tensor at = labels({2, 0, 1, 1});
  for (const Reduction how : {Reduction::mean, Reduction::sum, Reduction::none}) {
    differences::check_shape({4, 3}, [&](Var x) { return bd::cross_entropy(x, x.tape().constant(at), how); });
  }
  const Tensor target = differences::numbers({2, 3}, 3);
  differences::check_shape({2, 3}, [&](Var x) { return bd::mse(x, x.tape().constant(target)); });
  differences::check_shape({3}, [&](Var x) { return bd::mse(x.tape().constant(target), x); });
}

TEST_CASE("a batch of any size gives one loss, whatever the threads") {
  const std::int64_t rows = 5000;
  Tensor logits = differences::numbers({rows, 10}, 1);
  Tensor at = Tensor::arange(rows);
  for (std::int64_t& label : at.mutable_data<std::int64_t>()) label = label * 7 % 10;
  for (const DType dtype : {DType::f32, DType::f64}) {
    bd::Tape tape;
    const Var x = tape.constant(logits.to(dtype)), label = tape.constant(at);
    double sum = 0;
    const Tensor each = value(bd::cross_entropy(x, label, Reduction::none));
    for (std::size_t k = 0; k < each.numel(); ++k) sum += each.at(k);
    const Var mean = bd::cross_entropy(x, label);
    const Tensor one = value(mean, {.feeds = {}, .step = {}, .threads = 1});
    CHECK(one.item() == doctest::Approx(sum / static_cast<double>(rows)).epsilon(1e-7));
    CHECK(one.same_bits(value(mean, {.feeds = {}, .step = {}, .threads = 3})));
  }
}

TEST_CASE("mse by hand, broadcast") {
  bd::Tape tape;
  const Var a = tape.constant({{1, 2}, {3, 4}});
  const Var b = tape.constant({1, 0});
  CHECK(value(bd::mse(a, b)).same_bits(Tensor::scalar((0 + 4 + 4 + 16) / 4.0)));
}

TEST_CASE("losses say what is wrong with their inputs") {
  bd::Tape tape;
  const Var x = tape.constant(Tensor::zeros({2, 3}));
  const auto loss = [&](const Tensor& at) { return bd::cross_entropy(x, tape.constant(at)); };
  CHECK_THROWS_AS(loss(labels({0})), bd::ShapeError);
  CHECK_THROWS_AS(loss(labels({{0, 1}})), bd::ShapeError);
  CHECK_THROWS_AS(loss({0, 1}), bd::DTypeError);
  CHECK_THROWS_AS(bd::mse(x, tape.constant({1, 2})), bd::ShapeError);
  CHECK_THROWS_WITH_AS(value(loss(labels({0, 3}))), "cross_entropy: label 3 at index 1 is not within [0, 3)",
                       bd::ValueError);
  CHECK_THROWS_WITH_AS(value(loss(labels({-1, 0}))),
                       "cross_entropy: label -1 at index 0 is not within [0, 3)", bd::ValueError);
}

TEST_CASE("a bad label is named by its place in all of the batch, whatever part of it is worked on") {
  constexpr std::int64_t kRows = 5000;
  std::vector<std::int64_t> classes(kRows, 1);
  classes[4321] = 7;
  bd::Tape tape;
  const Var x = tape.variable("x", Tensor::ones({kRows, 3}));
  const Var at = tape.constant(Tensor::from(classes, {kRows}));
  const auto refuses = [&](Var y, const char* text) {
    const bd::Program program = bd::compile(tape, {.outputs = {y}});
    REQUIRE(program.explain().find("nodes by") != std::string::npos);
    CHECK_THROWS_WITH_AS(program.run(), text, bd::ValueError);
  };
  const Var loss = bd::cross_entropy(x * 2.0, at);
  refuses(loss, "cross_entropy: label 7 at index 4321 is not within [0, 3)");
  refuses(grad(loss, x), "cross_entropy: label 7 at index 4321 is not within [0, 3)");
  refuses(x * 2.0 + bd::one_hot(at, 3), "one_hot: index 7 (element 4321 of the indices) lies outside [0, 3)");
}
