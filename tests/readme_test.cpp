#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

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
  bd::Tensor inputs({{0, 1}, {1, 0}, {1, 1}, {2, 1}}), targets({{-1}, {2}, {1}, {3}});  // 2 x0 - x1

  bd::Variable weights("weights", bd::Tensor::zeros({2, 1}));
  bd::Tape tape;
  bd::Var x = tape.input("x", {4, 2});
  bd::Var target = tape.input("target", {4, 1});
  bd::Var w = tape.variable(weights);
  bd::Var off = bd::matmul(bd::dropout(x, 0.1, bd::Key{42, 0}), w) + bd::scale(target, -1);
  bd::Var loss = bd::sum(bd::square(off));
  bd::Var next = w + bd::scale(bd::grad(loss, w), -0.02);
  bd::Program train = bd::compile(tape, {.outputs = {loss}, .updates = {{weights, next}}});
  for (std::uint32_t step = 0; step < 200; ++step) {
    train.run({{x, inputs}, {target, targets}}, {.step = step});  // another mask at each step
  }

  CHECK(weights.value().at(0) == doctest::Approx(2).epsilon(0.25));
  CHECK(weights.value().at(1) == doctest::Approx(-1).epsilon(0.25));
}
