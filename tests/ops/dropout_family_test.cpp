#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>

#include "ops/evaluate.hpp"

using namespace backdrop;
using Numbers = std::vector<double>;

namespace {

const Key kKey{.seed = 42, .stream = 3};

Var ones(Tape& tape, const Shape& shape) { return tape.constant(Tensor::ones(shape, DType::f64)); }

// The places of a run of `run` elements are dropped or kept together: their common value, run by run.
Numbers runs(const Tensor& y, std::size_t run) {
  Numbers out;
  for (std::size_t k = 0; k < y.numel(); ++k) {
    if (k % run == 0) out.push_back(y.at(k));
    CHECK(y.at(k) == out.back());
  }
  return out;
}

std::size_t zeros(const Numbers& x) {
  std::size_t n = 0;
  for (double v : x) n += v == 0 ? 1 : 0;
  return n;
}

struct Moments {
  double mean, variance;
};
Moments moments(const Tensor& x) {
  Tape tape;
  const Var v = tape.constant(x);
  return {value(mean(v)).item(), value(var(v)).item()};
}

// The recording for inference, and y in it.
Tensor at_inference(Var y) {
  const Rewrite inference = without_dropout(y.tape());
  return value(inference(y));
}

bool has_random_nodes(const Tape& tape) {
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (tape.node(i).op->random) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("feature dropout keeps or drops whole channels, and scales by 1/(1-p)") {
  Tape tape;
  const Var x = ones(tape, {40, 5, 2, 3});
  for (const Var y : {feature_dropout(x, 0.2, kKey), dropout2d(x, 0.2, kKey)}) {
    const Numbers channels = runs(value(y), 6);
    for (double v : channels) CHECK((v == 0 || v == 1.25));
    CHECK(zeros(channels) > 20);
    CHECK(zeros(channels) < 60);
  }
  const Var mask = tape.constant(Tensor::mask({{1, 0}, {0, 1}}));
  const Var few = tape.constant(Tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}, DType::f64));
  CHECK(numbers(value(dropout1d(few, 0.5, mask))) == Numbers{2, 4, 0, 0, 0, 0, 14, 16});
  CHECK(numbers(value(feature_dropout(few, 0.5, unsqueeze(mask, -1)))) == Numbers{2, 4, 0, 0, 0, 0, 14, 16});
}

TEST_CASE("dropout1d, 2d and 3d take a batch or none, and no other rank") {
  Tape tape;
  CHECK(zeros(runs(value(dropout1d(ones(tape, {200, 3}), 0.5, kKey)), 3)) > 60);
  CHECK(zeros(runs(value(dropout2d(ones(tape, {200, 2, 2}), 0.5, kKey)), 4)) > 60);
  CHECK(zeros(runs(value(dropout3d(ones(tape, {200, 2, 2, 2}), 0.5, kKey)), 8)) > 60);
  CHECK(zeros(runs(value(dropout3d(ones(tape, {20, 10, 2, 2, 2}), 0.5, kKey)), 8)) > 60);
  CHECK_THROWS_AS(dropout1d(ones(tape, {4}), 0.5, kKey), ShapeError);
  CHECK_THROWS_AS(dropout2d(ones(tape, {4, 4}), 0.5, kKey), ShapeError);
  CHECK_THROWS_AS(dropout3d(ones(tape, {4, 4, 4}), 0.5, kKey), ShapeError);
  CHECK_THROWS_AS(feature_dropout(ones(tape, {4}), 0.5, kKey), ShapeError);
  CHECK_THROWS_AS(feature_dropout(ones(tape, {2, 3, 4}), 0.5, tape.constant(Tensor::mask({1, 0, 1, 1}))),
                  ShapeError);
}

TEST_CASE("variational dropout has one mask for all of time") {
  Tape tape;
  const Var x = ones(tape, {20, 7, 10});
  const Tensor y = value(variational_dropout(x, 0.5, kKey, 1));
  const Tensor first = value(select(tape.constant(y), 1, 0));
  for (std::int64_t t = 1; t < 7; ++t) CHECK(value(select(tape.constant(y), 1, t)).same_bits(first));
  CHECK(zeros(numbers(first)) > 60);
  CHECK(zeros(numbers(first)) < 140);
  const Var mask = tape.constant(Tensor::mask({{1, 0}, {0, 1}}));
  const Var steps = ones(tape, {3, 2, 2});
  const Numbers expected{2, 0, 0, 2, 2, 0, 0, 2, 2, 0, 0, 2};
  CHECK(numbers(value(variational_dropout(steps, 0.5, mask, 0))) == expected);
  CHECK(numbers(value(variational_dropout(steps, 0.5, unsqueeze(mask, 0), -3))) == expected);
  CHECK_THROWS_AS(variational_dropout(steps, 0.5, mask, 3), ShapeError);
  CHECK_THROWS_AS(variational_dropout(steps, 0.5, tape.constant(Tensor::mask({1, 0})), 0), ShapeError);
}

TEST_CASE("DropConnect drops weights of a linear map, and their gradients") {
  Tape tape;
  const Var x = tape.constant(Tensor({{1, 2}}, DType::f64));
  const Var w = tape.variable("w", Tensor({{1, 10}, {100, 1000}, {7, 8}}, DType::f64));
  const Var y = drop_connect(x, w, 0.5, tape.constant(Tensor::mask({{1, 0}, {0, 1}, {0, 0}})));
  CHECK(numbers(value(y)) == Numbers{2, 4000, 0});
  CHECK(numbers(value(grad(sum(y), w))) == Numbers{2, 0, 0, 4, 0, 0});
  CHECK(numbers(at_inference(y)) == Numbers{21, 2100, 23});
}

TEST_CASE("DropPath drops samples; scaling by 1/(1-p) is a choice, and inference agrees in the mean") {
  Tape tape;
  const Var x = ones(tape, {1000, 3});
  const Numbers scaled = runs(value(drop_path(x, 0.2, kKey)), 3);
  const Numbers plain = runs(value(drop_path(x, 0.2, kKey, false)), 3);
  for (std::size_t k = 0; k < scaled.size(); ++k) CHECK(scaled[k] == plain[k] * 1.25);
  CHECK(zeros(plain) > 150);
  CHECK(zeros(plain) < 250);
  const Var few = tape.constant(Tensor({{1, 2}, {3, 4}}, DType::f64));
  const Var mask = tape.constant(Tensor::mask({0, 1}));
  CHECK(numbers(value(drop_path(few, 0.5, mask))) == Numbers{0, 0, 6, 8});
  CHECK(numbers(value(drop_path(few, 0.5, mask, false))) == Numbers{0, 0, 3, 4});
  CHECK(numbers(at_inference(drop_path(few, 0.25, kKey))) == Numbers{1, 2, 3, 4});
  CHECK(numbers(at_inference(drop_path(few, 0.25, kKey, false))) == Numbers{0.75, 1.5, 2.25, 3});
  CHECK_THROWS_AS(drop_path(tape.constant(Tensor::scalar(1)), 0.5, kKey), ShapeError);
}

TEST_CASE("alpha dropout of standard normal numbers has mean 0 and variance 1") {
  constexpr std::int64_t n = 400'000;
  Tape tape;
  const Var x = normal(tape, {n}, 0, 1, Key{5, 0}, DType::f64);
  for (double p : {0.05, 0.1, 0.5, 0.9}) {
    CAPTURE(p);
    const Moments m = moments(value(alpha_dropout(x, p, kKey)));
    CHECK(std::abs(m.mean) < 0.01);
    CHECK(m.variance == doctest::Approx(1).epsilon(0.02));
  }
}

TEST_CASE("alpha dropout is a (x or s) + b, as PyTorch computes it") {
  const double s = -1.7580993408473766;
  for (double p : {0.1, 0.5, 0.9}) {
    CAPTURE(p);
    const double a = 1 / std::sqrt((s * s * p + 1) * (1 - p));
    Tape tape;
    const Var x = tape.variable("x", Tensor({1, -2, 3}, DType::f64));
    const Var y = alpha_dropout(x, p, tape.constant(Tensor::mask({1, 0, 1})));
    const auto found = value({y, grad(sum(y), x)});
    CHECK(found[0].at(0) == doctest::Approx(a - a * p * s).epsilon(1e-14));
    CHECK(found[0].at(1) == doctest::Approx(a * s - a * p * s).epsilon(1e-14));
    CHECK(found[0].at(2) == doctest::Approx(3 * a - a * p * s).epsilon(1e-14));
    CHECK(found[1].at(0) == doctest::Approx(a).epsilon(1e-14));
    CHECK(found[1].at(1) == 0);
    CHECK(numbers(at_inference(y)) == Numbers{1, -2, 3});
  }
}

TEST_CASE("alpha dropout changes no bit at p = 0, and gives zeros at p = 1") {
  Tape tape;
  const Tensor special({-0., 0., kInf, -kInf, kNaN, 1e-310, -7}, DType::f64);
  const Var x = tape.constant(special);
  CHECK(value(alpha_dropout(x, 0, kKey)).same_bits(special));
  for (double v : numbers(value(alpha_dropout(x, 1, kKey)))) {
    CHECK(v == 0);
    CHECK_FALSE(std::signbit(v));
  }
}

TEST_CASE("feature alpha dropout saturates whole channels") {
  Tape tape;
  const Numbers channels = runs(value(feature_alpha_dropout(ones(tape, {30, 4, 5}), 0.5, kKey)), 5);
  std::size_t low = 0;
  for (double v : channels) low += v < 0 ? 1 : 0;
  CHECK(low > 40);
  CHECK(low < 80);
}

TEST_CASE("Gaussian dropout multiplies by noise of mean 1 and variance p/(1-p)") {
  Tape tape;
  const Var x = ones(tape, {200'000});
  for (double p : {0.1, 0.5, 0.8}) {
    CAPTURE(p);
    const Moments m = moments(value(gaussian_dropout(x, p, kKey)));
    CHECK(m.mean == doctest::Approx(1).epsilon(0.02));
    CHECK(m.variance == doctest::Approx(p / (1 - p)).epsilon(0.02));
  }
  const Tensor special({-0., kInf, kNaN, 1e-310, -7}, DType::f64);
  CHECK(value(gaussian_dropout(tape.constant(special), 0, kKey)).same_bits(special));
  for (double p : {-0.1, 1.0, 1.5, kNaN}) CHECK_THROWS_AS(gaussian_dropout(x, p, kKey), ValueError);
}

TEST_CASE("Gaussian dropout by given noise is differentiable in the noise too") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({{1, 2}, {3, 4}}, DType::f64));
  const Var noise = tape.variable("noise", Tensor({0.5, 2}, DType::f64));
  const Var y = gaussian_dropout(x, noise);
  const auto [gx, gn] = grad(sum(y), x, noise);
  CHECK(numbers(value(y)) == Numbers{0.5, 4, 1.5, 8});
  CHECK(numbers(value(gx)) == Numbers{0.5, 2, 0.5, 2});
  CHECK(numbers(value(gn)) == Numbers{4, 6});
  CHECK(numbers(at_inference(y)) == Numbers{1, 2, 3, 4});
}

TEST_CASE("DropBlock drops squares within the image") {
  Tape tape;
  constexpr std::int64_t h = 12, w = 10, block = 3;
  const Tensor mask = value(drop_block_mask(tape, {50, h, w}, 0.15, block, kKey));
  const Tensor corners = value(dropout_mask(tape, {50, h - 2, w - 2}, 0.15 * 120 / (9. * 10 * 8), kKey));
  std::vector<double> expected(mask.numel(), 1);
  std::size_t dropped = 0;
  for (std::size_t n = 0; n < 50; ++n) {
    for (std::size_t i = 0; i < h - 2; ++i) {
      for (std::size_t j = 0; j < w - 2; ++j) {
        if (corners.at((n * (h - 2) + i) * (w - 2) + j) == 1) continue;
        for (std::size_t k = 0; k < 9; ++k) expected[(n * h + i + k / 3) * w + j + k % 3] = 0;
      }
    }
  }
  for (std::size_t k = 0; k < mask.numel(); ++k) {
    CHECK(mask.at(k) == expected[k]);
    dropped += mask.at(k) == 0 ? 1 : 0;
  }
  const double share = static_cast<double>(dropped) / static_cast<double>(mask.numel());
  CHECK(share > 0.1);
  CHECK(share < 0.16);
  CHECK_THROWS_AS(drop_block_mask(tape, {5, 4}, 0.1, 5, kKey), ValueError);
  CHECK_THROWS_AS(drop_block_mask(tape, {5, 4}, 0.1, 0, kKey), ValueError);
  CHECK_THROWS_AS(drop_block_mask(tape, {5, 4}, kNaN, 2, kKey), ValueError);
  CHECK_THROWS_AS(drop_block_mask(tape, {5}, 0.1, 2, kKey), ShapeError);
}

TEST_CASE("DropBlock keeps the sum of equal elements, and gives 0 where nothing is kept") {
  Tape tape;
  const Var x = ones(tape, {4, 9, 9});
  CHECK(value(sum(drop_block(x, 0.3, 2, kKey))).item() == doctest::Approx(4 * 81));
  CHECK(value(drop_block(x, 0, 3, kKey)).same_bits(Tensor::ones({4, 9, 9}, DType::f64)));
  const Var few = tape.variable("x", Tensor({1, 2, 3, 4}, DType::f64));
  const Var y = drop_block(few, tape.constant(Tensor::mask({1, 0, 0, 1})));
  CHECK(numbers(value(y)) == Numbers{2, 0, 0, 8});
  CHECK(numbers(value(grad(sum(y), few))) == Numbers{2, 0, 0, 2});
  CHECK(numbers(value(drop_block(few, tape.constant(Tensor::mask({0, 0, 0, 0}))))) == Numbers{0, 0, 0, 0});
  CHECK(numbers(at_inference(y)) == Numbers{1, 2, 3, 4});
}

TEST_CASE("zoneout keeps the previous state where it drops, and its mean at inference") {
  Tape tape;
  const Var previous = tape.variable("previous", Tensor({1, 2, 3, 4}, DType::f64));
  const Var next = tape.variable("next", Tensor({10, 20, 30, 40}, DType::f64));
  const Var y = zoneout(previous, next, 0.25, tape.constant(Tensor::mask({1, 0, 0, 1})));
  const auto [gp, gn] = grad(sum(y), previous, next);
  CHECK(numbers(value(y)) == Numbers{10, 2, 3, 40});
  CHECK(numbers(value(gp)) == Numbers{0, 1, 1, 0});
  CHECK(numbers(value(gn)) == Numbers{1, 0, 0, 1});
  CHECK(numbers(at_inference(y)) == Numbers{7.75, 15.5, 23.25, 31});
  CHECK(numbers(at_inference(zoneout(previous, next, 0, kKey))) == Numbers{10, 20, 30, 40});
  CHECK(numbers(at_inference(zoneout(previous, next, 1, kKey))) == Numbers{1, 2, 3, 4});

  const Var nothing = tape.constant(Tensor::zeros({10'000}, DType::f64));
  const Tensor many = value(zoneout(nothing, ones(tape, {10'000}), 0.3, kKey));
  CHECK(zeros(numbers(many)) > 2800);
  CHECK(zeros(numbers(many)) < 3200);
}

TEST_CASE("without dropout the whole family is its inference form, and nothing random is left") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({{1, -2, 3}, {4, 5, -6}}, DType::f64));
  Keys keys(1);
  const std::vector<Var> identities = {dropout(x, 0.5, keys.next()),
                                       feature_dropout(x, 0.5, keys.next()),
                                       variational_dropout(x, 0.5, keys.next(), 0),
                                       drop_path(x, 0.5, keys.next()),
                                       alpha_dropout(x, 0.5, keys.next()),
                                       feature_alpha_dropout(x, 0.5, keys.next()),
                                       gaussian_dropout(x, 0.5, keys.next()),
                                       drop_block(x, 0.5, 2, keys.next())};
  const Var sparse = drop_path(x, 0.5, keys.next(), false);
  const Var state = zoneout(x, square(x), 0.5, keys.next());
  const Rewrite opened = expand(tape);
  const Rewrite plain = without_dropout(tape);
  const Rewrite from_opened = without_dropout(opened.tape());
  CHECK_FALSE(has_random_nodes(plain.tape()));
  for (Var y : identities) CHECK(plain(y) == plain(x));
  const Numbers half{.5, -1, 1.5, 2, 2.5, -3}, mean_state{1, 1, 6, 10, 15, 15};
  CHECK(numbers(value(plain(sparse))) == half);
  CHECK(numbers(value(plain(state))) == mean_state);
  for (Var y : identities) CHECK(value(from_opened(opened(y))).same_bits(value(x)));
  CHECK(numbers(value(from_opened(opened(sparse)))) == half);
  CHECK(numbers(value(from_opened(opened(state)))) == mean_state);
}
