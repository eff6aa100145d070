// Trains an LSTM to foretell a sequence of bits that repeats itself, and checks its gradient, which goes
// through every step in time.

#include <backdrop/backdrop.hpp>
#include <vector>

#include "objectives/lstm.hpp"

namespace bd = backdrop;

// Bit b of element t is 1 when t mod 4 = b.
bd::Tensor repeating(std::int64_t steps) {
  bd::Tape tape;
  const bd::Var phase = tape.constant(bd::Tensor::arange(4));
  const bd::Var one_hot = bd::one_hot(phase, 4, bd::DType::f64);
  return bd::value(bd::reshape(bd::broadcast_to(one_hot, {steps / 4, 4, 4}), {steps, 4}));
}

int main() {
  constexpr std::int64_t kLayers = 2, kBits = 4, kSteps = 32;
  bd::Keys keys(42);
  bd::Tape tape;
  const auto weights = [&](const char* name, const bd::Shape& shape) {
    return tape.variable(name, bd::uniform(shape, -1, 1, keys.next(), bd::DType::f64));
  };
  const bd::Var main = weights("main", {2 * kLayers, 4 * kBits}), extra = weights("extra", {3, kBits});
  const bd::Var state = tape.constant(bd::Tensor::zeros({2 * kLayers, kBits}, bd::DType::f64));
  const bd::Var sequence = tape.constant(repeating(kSteps));

  const bd::Var loss = objectives::next_bits_loss({main, extra, state}, sequence);
  const std::vector<bd::Var> parameters{main, extra};
  const std::vector<bd::Var> gradients = bd::grad(loss, parameters);
  const bd::Report report = bd::gradcheck(loss, {main, extra}, {.mode = bd::CheckMode::directional});
  fmt::print("{} nodes; the gradient is {}\n", tape.size(), report.passed() ? "right" : "wrong");

  const bd::Var rate = tape.constant(bd::Tensor::scalar(0.05, bd::DType::f64));
  const bd::Program step =
      bd::compile(tape, {.outputs = {loss}, .updates = bd::adam(parameters, gradients, rate)});
  for (std::uint32_t k = 0; k <= 300; ++k) {
    const bd::Outputs outputs = step.run({}, {.step = k});
    if (k % 100 == 0) fmt::print("step {:3}: loss {:.2f}\n", k, outputs[0].item());
  }
}
