#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <functional>

// The code of README.md, as it stands there; what is checked stands outside of it.
namespace bd = backdrop;

TEST_CASE("README: recording computes nothing; numbers appear when you ask") {
  bd::Tape tape;
  bd::Var x = tape.input("x", {3});                 // given at each run
  bd::Var w = tape.variable("w", {2.0, 3.0, 4.0});  // a Variable: a tensor that outlives the tape
  bd::Var y = bd::sum(w * bd::square(x));           // three nodes and no numbers; a wrong shape throws here
  bd::Var g = bd::grad(y, w);                       // more nodes: x^2, if anybody asks

  auto numbers = bd::value({y, g}, {.feeds = {{x, {1.0, 2.0, 3.0}}}});  // 50 and [1, 4, 9]

  CHECK(numbers[0].item() == 50);
  CHECK(numbers[1].same_bits({1.0, 4.0, 9.0}));
}

TEST_CASE("README: a training loop") {
  const bd::Tensor inputs({{0, 0, 1}, {0, 1, 1}, {1, 0, 1}, {1, 1, 1}});  // two bits and a 1
  const bd::Tensor targets({{0}, {1}, {1}, {0}});                         // their xor

  bd::Tape tape;
  bd::Var x = tape.input("x", {4, 3}), target = tape.input("target", {4, 1});
  bd::Var w1 = tape.variable("w1", bd::glorot_uniform({3, 32}, bd::Key{42, 0}));
  bd::Var w2 = tape.variable("w2", bd::glorot_uniform({32, 1}, bd::Key{42, 1}));
  bd::Var hidden = bd::dropout(bd::tanh(bd::matmul(x, w1)), 0.1, bd::Key{42, 2});
  bd::Var output = bd::matmul(hidden, w2);
  bd::Var loss = bd::mean(bd::square(output - target));
  std::vector<bd::Var> weights{w1, w2}, gradients = bd::grad(loss, weights);
  auto updates = bd::adam(weights, gradients, tape.constant(bd::Tensor::scalar(0.02)));
  bd::Program train = bd::compile(tape, {.outputs = {loss}, .updates = updates});
  for (std::uint32_t step = 0; step < 400; ++step)
    train.run({{x, inputs}, {target, targets}}, {.step = step});  // another mask at each step

  // When a loss becomes NaN:
  train.run({{x, inputs}, {target, targets}}, {.step = 400, .anomalies = bd::Anomalies::nan_or_inf});

  bd::Rewrite inference = bd::without_dropout(tape);
  bd::Tensor predicted = bd::value(inference(output), {.feeds = {{"x", inputs}}});

  for (std::size_t k = 0; k < 4; ++k) {
    CHECK(std::abs(predicted.at(k) - targets.at(k)) < 0.3);  // who has learned nothing says 0.5
  }
}

TEST_CASE("README: derivatives of other kinds") {
  bd::Tape tape;
  bd::Var x = tape.input("x", {3}), w = tape.variable("w", {2.0, 3.0, 4.0});
  bd::Var y = bd::sum(w * bd::square(x));

  bd::Var v = tape.constant({1.0, 0.0, 1.0});
  bd::Var hv = bd::hvp(y, x, v), pushed = bd::jvp(bd::exp(x), x, v);  // forward over reverse; forward
  bd::Var rows = tape.input("rows", {100, 3});
  bd::Var each = bd::vmap(bd::grad(y, w), x, rows);  // the gradient for each of 100 inputs: [100, 3]
  bd::Tensor dense = bd::jacobian(bd::exp(x), x, {.feeds = {{x, {1.0, 2.0, 3.0}}}});  // in one pass: diagonal
  bd::SparseJacobian sparse = bd::sparse_hessian(y, x, {.feeds = {{x, {1.0, 2.0, 3.0}}}});  // 3 entries

  CHECK(bd::value(pushed, {.feeds = {{x, {0.0, 0.0, 0.0}}}}).same_bits({1.0, 0.0, 1.0}));
  CHECK(bd::value(hv, {.feeds = {{x, {1.0, 2.0, 3.0}}}}).same_bits({4.0, 0.0, 8.0}));
  const bd::Tensor many = bd::Tensor::full({100, 3}, 3);
  CHECK(bd::value(each, {.feeds = {{rows, many}}}).same_bits(bd::Tensor::full({100, 3}, 9)));
  CHECK(dense.shape() == bd::Shape{3, 3});
  CHECK(sparse.values.same_bits({4.0, 6.0, 8.0}));
  CHECK(sparse.passes == 1);
}

TEST_CASE("README: computing again instead of storing") {
  bd::Tape tape;
  bd::Var x = tape.input("x", {4, 3}), w = tape.variable("w", bd::glorot_uniform({3, 3}, bd::Key{42, 0}));
  const bd::Key key{42, 1};
  const std::vector<std::function<bd::Var(bd::Var)>> layers(9, [](bd::Var v) { return bd::tanh(2 * v); });

  bd::Var h = bd::checkpoint([&](bd::Var v) { return bd::dropout(bd::tanh(bd::matmul(v, w)), 0.5, key); }, x);
  bd::Var deep = bd::checkpoint_sequential(layers, h);  // functions of one Var, in about sqrt(n) regions

  bd::Var stored = bd::dropout(bd::tanh(bd::matmul(x, w)), 0.5, key);
  for (const auto& layer : layers) stored = layer(stored);
  const bd::ValueOptions at{.feeds = {{"x", {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {0, 1, 2}}}}, .step = 1};
  const auto gradients = bd::value({bd::grad(bd::sum(deep), w), bd::grad(bd::sum(stored), w)}, at);
  CHECK(gradients[0].same_bits(gradients[1]));
}
