#include <doctest/doctest.h>

#include <backdrop/core/error.hpp>
#include <cmath>

#include "ops/evaluate.hpp"

using namespace backdrop;

namespace {

Tensor f64(std::initializer_list<NestedList> items) { return Tensor(items, DType::f64); }
Tensor labels(std::initializer_list<NestedList> items) { return Tensor(items, DType::i64); }

doctest::Approx near_to(double x) { return doctest::Approx(x).epsilon(1e-14); }

// Logarithms of probabilities that are powers of 2, in units of log 2.
const double kLog2 = std::log(2.0);
const Tensor kLogs = f64({{-1 * kLog2, -2 * kLog2, -3 * kLog2}, {-4 * kLog2, -5 * kLog2, -6 * kLog2}});

double nll_of(const Tensor& at, const Tensor& weight, NllOptions options) {
  Tape tape;
  options.weight = tape.constant(weight);
  return value(nll(tape.constant(kLogs), tape.constant(at), options)).item() / kLog2;
}

}  // namespace

TEST_CASE("the mean of nll divides by the sum of weights of labels that are not ignored") {
  const Tensor weight = f64({0.5, 2, 4});
  CHECK(nll_of(labels({1, 2}), weight, {}) == near_to((2 * 2 + 4 * 6) / 6.0));
  CHECK(nll_of(labels({1, 2}), weight, {.reduction = Reduction::sum}) == near_to(2 * 2 + 4 * 6));
  CHECK(nll_of(labels({1, 2}), weight, {.ignore_index = 2}) == near_to(2));
  CHECK(nll_of(labels({1, -100}), weight, {.ignore_index = -100}) == near_to(2));
  CHECK(std::isnan(nll_of(labels({1, 1}), weight, {.ignore_index = 1})));
}

TEST_CASE("an ignored position counts for nothing, even where it is infinite") {
  Tape tape;
  const Var x = tape.variable("x", f64({{-kInf, 0}, {-1, -2}}));
  const Var y = nll(x, tape.constant(labels({0, 1})), {.ignore_index = 0});
  CHECK(value(y).item() == 2);
  CHECK(numbers(value(grad(y, x))) == std::vector<double>{0, 0, 0, -1});
}

TEST_CASE("a label outside the classes is refused when run, unless it is ignored") {
  Tape tape;
  const Var x = tape.constant(kLogs);
  const Var at = tape.constant(labels({0, 7}));
  CHECK_THROWS_AS(value(nll(x, at)), ValueError);
  CHECK(value(nll(x, at, {.ignore_index = 7})).item() == near_to(kLog2));
}

TEST_CASE("cross entropy smooths labels and weighs them as PyTorch does") {
  Tape tape;
  const Var x = tape.constant(f64({{1, 2, 0.5}, {0, -1, 2}, {3, 1, 1}}));
  const Var at = tape.constant(labels({1, 2, 0}));
  const Var weight = tape.constant(f64({0.2, 0.5, 2}));
  // torch.nn.functional.cross_entropy(..., weight=, ignore_index=0, label_smoothing=0.1), PyTorch 1.13
  const CrossEntropyOptions options{.weight = weight, .ignore_index = 0, .label_smoothing = 0.1};
  CHECK(value(cross_entropy(x, at, options)).item() == near_to(0.2967072481518681));
  CHECK(value(cross_entropy(x, at, {.label_smoothing = 0.1})).item() == near_to(0.4190309677398162));
}

TEST_CASE("probabilities that are one_hot cost what labels cost") {
  Tape tape;
  const Var x = tape.constant(f64({{1, 2, 0.5}, {0, -1, 2}}));
  const Var at = tape.constant(labels({1, 2}));
  for (const Reduction how : {Reduction::mean, Reduction::sum, Reduction::none}) {
    const Tensor plain = value(cross_entropy(x, at, how));
    const Tensor soft =
        value(cross_entropy(x, one_hot(at, 3, DType::f64), CrossEntropyOptions{.reduction = how}));
    for (std::size_t k = 0; k < plain.numel(); ++k) CHECK(soft.at(k) == near_to(plain.at(k)));
  }
}

TEST_CASE("classes lie along axis 1, whatever lies behind it") {
  Tape tape;
  const Var x = tape.constant(f64({{{1, 0}, {2, -1}, {0.5, 2}}}));  // [1, 3, 2]
  const Var at = tape.constant(labels({{1, 2}}));
  const Tensor losses = value(cross_entropy(x, at, CrossEntropyOptions{.reduction = Reduction::none}));
  const Var rows = tape.constant(f64({{1, 2, 0.5}, {0, -1, 2}}));
  const Tensor expected = value(cross_entropy(rows, tape.constant(labels({1, 2})), Reduction::none));
  CHECK(losses.shape() == Shape{1, 2});
  for (std::size_t k = 0; k < 2; ++k) CHECK(losses.at(k) == near_to(expected.at(k)));
}

TEST_CASE("huber, smooth_l1 and l1 by hand") {
  const Tensor a = f64({0.5, -3, 2}), b = f64({0, 0, 0});
  const auto each = Reduction::none;
  CHECK(results([&](Var x, Var y) { return huber(x, y, 2, each); }, a, b) ==
        std::vector<double>{0.125, 4, 2});
  CHECK(results([&](Var x, Var y) { return smooth_l1(x, y, 2, each); }, a, b) ==
        std::vector<double>{0.0625, 2, 1});
  CHECK(results([&](Var x, Var y) { return smooth_l1(x, y, 0); }, a, b) == std::vector<double>{5.5 / 3});
  CHECK(results([&](Var x, Var y) { return l1(x, y, each); }, a, b) == std::vector<double>{0.5, 3, 2});
  const auto [slope_a, slope_b] = slopes2([&](Var x, Var y) { return huber(x, y, 2, each); }, a, b);
  CHECK(slope_a == std::vector<double>{0.5, -2, 2});
  CHECK(slope_b == std::vector<double>{-0.5, 2, -2});
  const Tensor far = f64({kInf, kNaN}), nothing = f64({0, 0});
  const std::vector<double> y = results([&](Var x, Var t) { return huber(x, t, 1, each); }, far, nothing);
  CHECK(y[0] == kInf);
  CHECK(std::isnan(y[1]));
}

TEST_CASE("bce stops logarithms at -100, and its derivative divides by 1e-12 at most") {
  const Tensor x = f64({0, 1, 0, 1, 0.5}), t = f64({0, 0, 1, 1, 0.25});
  const auto each = [](Var p, Var target) { return bce(p, target, {.reduction = Reduction::none}); };
  CHECK(results(each, x, t) == std::vector<double>{0, 100, 100, 0, kLog2});
  Tape tape;
  const Var p = tape.variable("p", x);
  const Var g = grad(sum(each(p, tape.constant(t))), p);
  CHECK(numbers(value(g)) == std::vector<double>{0, 1e12, -1e12, 0, 1});
  for (double d : numbers(value(grad(sum(square(g)), p)))) CHECK(std::isfinite(d));
}

TEST_CASE("bce_with_logits neither overflows nor loses small losses") {
  const Tensor x = f64({1000, -1000, 1000, -1000, 50, -50}), t = f64({1, 1, 0, 0, 1, 0});
  const auto each = [](Var v, Var target) {
    return bce_with_logits(v, target, {.reduction = Reduction::none});
  };
  const std::vector<double> y = results(each, x, t);
  CHECK(std::vector<double>(y.begin(), y.begin() + 4) == std::vector<double>{0, 1000, 1000, 0});
  CHECK(y[4] / std::exp(-50.0) == near_to(1));
  CHECK(y[5] / std::exp(-50.0) == near_to(1));
  const auto [of_logits, of_targets] = slopes2(each, x, t);
  CHECK(std::vector<double>(of_logits.begin(), of_logits.begin() + 4) == std::vector<double>{0, -1, 1, 0});
  for (double d : of_targets) CHECK(std::isfinite(d));
  const auto weighed = [](Var v, Var target, Var w) {
    return bce_with_logits(v, target, {.pos_weight = w, .reduction = Reduction::none});
  };
  CHECK(results(weighed, x, t, f64({3}))[1] == 3000);
}

TEST_CASE("kl_div is 0, and flat, where the target is 0") {
  const Tensor x = f64({-1, -kInf, -2}), t = f64({0, 0, 0.5});
  const auto each = [](Var v, Var target) { return kl_div(v, target, {.reduction = Reduction::none}); };
  CHECK(results(each, x, t) == std::vector<double>{0, 0, 0.5 * (std::log(0.5) + 2)});
  const auto [of_logs, of_targets] = slopes2(each, x, t);
  CHECK(of_logs == std::vector<double>{0, 0, -0.5});
  CHECK(of_targets == std::vector<double>{0, 0, std::log(0.5) + 2 + 1});
}

TEST_CASE("the batchmean divides by the extent of axis 0") {
  const Tensor a = f64({{1, 2, 3}, {4, 5, 6}}), b = f64({{0, 0, 0}, {0, 0, 0}});
  CHECK(results([](Var x, Var y) { return l1(x, y, Reduction::batchmean); }, a, b)[0] == 10.5);
  CHECK(results([](Var x, Var y) { return mse(x, y, Reduction::sum); }, a, b)[0] == 91);
  const auto logs = [](Var x, Var y) {
    return kl_div(x, y, {.log_target = true, .reduction = Reduction::batchmean});
  };
  CHECK(results(logs, b, b)[0] == 0);
}

TEST_CASE("losses refuse what does not fit, and leave the tape as it was") {
  Tape tape;
  const Var x = tape.constant(kLogs);
  const Var at = tape.constant(labels({0, 1}));
  const Var weight = tape.constant(f64({1, 2}));
  const Var soft = tape.constant(Tensor::zeros({3, 2}, DType::f64));
  const std::size_t before = tape.size();
  CHECK_THROWS_AS(nll(x, at, {.weight = weight}), ShapeError);
  CHECK_THROWS_AS(nll(x, weight), DTypeError);
  CHECK_THROWS_AS(nll(x, at, {.reduction = Reduction::batchmean}), ValueError);
  CHECK_THROWS_AS(cross_entropy(x, at, {.label_smoothing = 1.5}), ValueError);
  CHECK_THROWS_AS(cross_entropy(x, soft, CrossEntropyOptions{}), ShapeError);
  CHECK_THROWS_AS(cross_entropy(x, x, {.ignore_index = 1}), ValueError);
  CHECK_THROWS_AS(cross_entropy(x, at, Reduction::batchmean), ValueError);
  CHECK_THROWS_AS(huber(x, x, 0), ValueError);
  CHECK_THROWS_AS(bce(x, x, {.weight = weight}), ShapeError);
  CHECK(tape.size() == before);
}
