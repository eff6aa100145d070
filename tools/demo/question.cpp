#include "demo/question.hpp"

#include <fmt/core.h>

#include <backdrop/backdrop.hpp>
#include <cstddef>

namespace backdrop::demo {

namespace {

constexpr double kP = 0.5;

struct Nodes {
  explicit Nodes(Tape& tape)
      : a(tape.variable("a", {1.0, -2.0, 3.0, 4.0})), mask(tape.constant(Tensor::mask({1, 0, 1, 0}))) {}

  Var a, mask;
  Var fused = dropout(a, kP, mask);                    // one node ...
  Var composed = scale(mul(a, mask), keep_scale(kP));  // ... and what it means
  Var loss = sum(tanh(fused));                         // smooth, and not linear
};

void show_gradients(const Nodes& nodes) {
  fmt::print("b = a * mask / (1-p) with p = {}, a = {}, mask = {}\n\n", kP, value(nodes.a),
             value(nodes.mask));
  fmt::print("b               {}\n", value(nodes.fused));
  fmt::print("db/da, fused    {}\n", value(grad(sum(nodes.fused), nodes.a)));
  fmt::print("db/da, composed {}\n", value(grad(sum(nodes.composed), nodes.a)));
  fmt::print("local Jacobian  {}\n\n", local_jacobian(nodes.fused));
  fmt::print("0s and 2s: the same mask as forwards, divided by 1-p. A dropped unit gets exactly 0.\n\n");
}

// The derivative of the loss that somebody writes who forgets the division by 1-p on the way back.
Var with_binary_mask(const Nodes& nodes) { return mul(grad(nodes.loss, nodes.fused), nodes.mask); }

Report taylor(Var y, Var x, std::vector<Var> given = {}) {
  GradcheckOptions options;
  options.mode = CheckMode::taylor;
  options.directions = 1;
  options.given = std::move(given);
  return gradcheck(y, {x}, options);
}

void show_remainders(const Report::Trend& right, const Report::Trend& wrong) {
  constexpr std::size_t kEvery = 3;  // each row of the check has half the step of the one before
  fmt::print("Taylor remainders |f(a + h d) - f(a) - h f'(a) d| of f = sum(tanh(b)):\n\n");
  fmt::print("{:>12}  {:>18}  {:>18}\n", "h", "backward 0s and 2s", "backward 0s and 1s");
  for (std::size_t k = 0; k < right.steps.size() && k < wrong.steps.size(); k += kEvery) {
    fmt::print("{:12.2e}  {:18.2e}  {:18.2e}\n", right.steps[k], right.remainders[k], wrong.remainders[k]);
  }
  fmt::print("{:>12}  {:18.2f}  {:18.2f}\n\n", "falls as h^", right.rate, wrong.rate);
  fmt::print("A derivative leaves a remainder that falls as h^2: the 0/1 mask is not the derivative.\n");
}

void show_bare_node(const Report::Trend& bare) {
  if (bare.linear) {
    fmt::print("The bare node, without tanh, is linear: its remainder is 0 to rounding for every h.\n\n");
  } else {
    fmt::print("The bare node should be linear, but its remainder falls as h^{:.2f}.\n\n", bare.rate);
  }
}

}  // namespace

Answer answer_question() {
  Tape tape;
  const Nodes nodes(tape);
  show_gradients(nodes);

  const FusedVsComposed table = fused_vs_composed(nodes.fused);
  fmt::print("{}\n", table);

  const Report right = taylor(nodes.loss, nodes.a);
  const Report wrong = taylor(nodes.loss, nodes.a, {with_binary_mask(nodes)});
  show_remainders(right.trends.at(0), wrong.trends.at(0));
  show_bare_node(taylor(nodes.fused, nodes.a).trends.at(0));

  const Report check = gradcheck(nodes.loss, {nodes.a});
  fmt::print("{}", check);
  return {.taylor_rate_correct_mask = right.trends.at(0).rate,
          .taylor_rate_binary_mask = wrong.trends.at(0).rate,
          .fused_equals_composed = table.passed(),
          .gradcheck_passed = check.passed()};
}

}  // namespace backdrop::demo
