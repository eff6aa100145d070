#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>

using namespace backdrop;

namespace {

std::size_t count(const Tape& tape, const Op& op) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < tape.size(); ++i) n += tape.node(i).op == &op ? 1 : 0;
  return n;
}

}  // namespace

TEST_CASE("Monte-Carlo dropout of a linear map has its mean, and variance p/(1-p) sum of (w x)^2") {
  constexpr std::int64_t kSamples = 4000;
  const double p = 0.2;
  Tape tape;
  const Var x = tape.constant(Tensor({1, -2, 0.5}, DType::f64));
  const Var w = tape.constant(Tensor({{1, 2}, {0.5, -1}, {2, 0}}, DType::f64));
  const Var y = matmul(dropout(x, p, Key{1, 0}), w);
  Keys keys(7);
  const MonteCarlo drawn = monte_carlo(y, kSamples, keys);
  const auto found = value({drawn.mean, drawn.variance});
  const double means[] = {1, 4}, variances[] = {.25 * (1 + 1 + 1), .25 * (4 + 4)};
  for (std::size_t k = 0; k < 2; ++k) {
    const double error = std::sqrt(variances[k] / kSamples);
    CHECK(std::abs(found[0].at(k) - means[k]) < 4 * error);
    CHECK(found[1].at(k) == doctest::Approx(variances[k]).epsilon(.1));
  }
}

TEST_CASE("Monte-Carlo dropout nears the mean as 1/sqrt(samples)") {
  Tape tape;
  const Var x = tape.constant(Tensor::full({2000}, 3, DType::f64));
  const Var y = dropout(x, 0.5, Key{1, 0});
  for (const std::int64_t samples : {4, 64}) {
    Keys keys(11);
    const Tensor means = value(monte_carlo(y, samples, keys).mean);
    double squares = 0;
    for (std::size_t k = 0; k < means.numel(); ++k) squares += std::pow(means.at(k) - 3, 2);
    const double spread = std::sqrt(squares / static_cast<double>(means.numel()));
    CHECK(spread == doctest::Approx(3 / std::sqrt(static_cast<double>(samples))).epsilon(.1));
  }
}

TEST_CASE("what does not depend on random nodes is recorded once, and one run draws all samples") {
  Tape tape;
  const Var x = tape.input("x", {4, 3}, DType::f64);
  const Var w = tape.variable("w", Tensor::ones({3, 2}, DType::f64));
  const Var hidden = tanh(matmul(x, w));
  const Var y = square(dropout(hidden, 0.5, Key{1, 0}));
  Keys keys(7);
  const MonteCarlo drawn = monte_carlo(y, 10, keys);
  CHECK(count(tape, matmul_op) == 1);
  CHECK(count(tape, tanh_op) == 1);
  CHECK(count(tape, dropout_mask_op) == 1 + 10);
  const Program program = compile(tape, {.outputs = {drawn.mean, drawn.variance}, .updates = {}});
  const Tensor at = Tensor::full({4, 3}, 0.5, DType::f64);
  const Outputs first = program.run({{"x", at}}, {.step = 1});
  const Outputs again = program.run({{"x", at}}, {.step = 1});
  const Outputs other = program.run({{"x", at}}, {.step = 2});
  CHECK(first[0].same_bits(again[0]));
  CHECK_FALSE(first[0].same_bits(other[0]));
  CHECK(keys.next() == Key{7, 10});
}

TEST_CASE("Monte-Carlo samples are what fresh keys give, and one key stays one key") {
  Tape tape;
  const Var x = tape.constant(Tensor({1, 2, 3, 4, 5, 6, 7, 8}, DType::f64));
  const auto twice = [&](Key key) {
    return add(dropout(x, 0.5, key), dropout(square(x), 0.5, key));  // dropped together
  };
  const Var y = twice(Key{1, 0});
  Keys keys(9), same(9);
  const MonteCarlo drawn = monte_carlo(y, 3, keys, 1);
  std::vector<Var> by_hand;
  for (int k = 0; k < 3; ++k) by_hand.push_back(twice(same.next()));
  const Var all = stack(by_hand);
  const auto found = value({drawn.mean, drawn.variance, mean(all, {0}), var(all, {0}, 1)});
  CHECK(found[0].same_bits(found[2]));
  CHECK(found[1].same_bits(found[3]));
}

TEST_CASE("the mean and variance over samples have derivatives") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({0.5, -1, 2}, DType::f64));
  Keys keys(3);
  const MonteCarlo drawn = monte_carlo(square(dropout(x, 0.4, Key{1, 0})), 5, keys);
  CHECK(gradcheck(drawn.mean, {x}).passed());
  CHECK(gradcheck(drawn.variance, {x}).passed());
}

TEST_CASE("Monte-Carlo dropout without anything random, or with too few samples, is an error") {
  Tape tape;
  const Var x = tape.variable("x", {1, 2});
  const Var y = dropout(x, 0.5, Key{1, 0}), certain = square(x);
  const std::size_t before = tape.size();
  Keys keys(3);
  CHECK_THROWS_AS(monte_carlo(certain, 5, keys), GraphError);
  CHECK_THROWS_AS(monte_carlo(y, 0, keys), ValueError);
  CHECK_THROWS_AS(monte_carlo(y, 1, keys, 1), ValueError);
  CHECK_THROWS_AS(monte_carlo(y, 5, keys, -1), ValueError);
  CHECK(tape.size() == before);
}
