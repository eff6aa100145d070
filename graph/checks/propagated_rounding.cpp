#include <algorithm>
#include <backdrop/core/op.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <cmath>

#include "checks/checking.hpp"

namespace backdrop::checking {

namespace {

// Whether an op gives its result without rounding: it moves numbers, or leaves them. (A sum of two is the
// identity in either, and rounds.)
bool exact(const Op& op) {
  return op.view || op.structure == Structure::selection ||
         (op.structure == Structure::identity && op.arity() == 1);
}

// y after every result on the way was changed by about `size` of itself, up or down.
std::vector<double> disturbed(const Replay& replay, Var y, Draw draw, double size) {
  Tape& tape = replay.tape();
  const Tape::Mark before = tape.mark();
  std::vector<Var> now(y.index() + std::size_t{1});
  for (std::uint32_t i = 0; i < now.size(); ++i) {
    const Node& node = tape.node(i);
    now[i] = tape.var(i);
    if (is_leaf(*node.op)) continue;
    std::vector<Var> inputs;
    for (std::uint32_t input : node.inputs()) inputs.push_back(now[input]);
    now[i] = tape.record_again(tape, i, inputs);
    if (!is_float(node.dtype) || node.arity == 0 || exact(*node.op)) continue;
    Tensor factors = Tensor::zeros(now[i].shape(), node.dtype);
    for (std::size_t k = 0; k < factors.numel(); ++k)
      set_element(factors, k, 1 + std::copysign(size, draw.next()));
    now[i] = mul(now[i], tape.constant(factors));
  }
  std::vector<double> out;
  {
    const Compiled program(replay, {now.back()});
    read(program.run(), out);
  }
  tape.rewind(before);
  return out;
}

}  // namespace

std::vector<std::vector<double>> propagated_rounding(const Replay& replay, Var y, Key key) {
  constexpr std::size_t kSamples = 2;
  // Far above rounding, so that it does not matter, and so small that the effect is linear.
  const double eps = epsilon(y.dtype()), coarse = std::exp2(std::round(std::log2(eps) * .58)),
               fine = coarse / 16;
  std::vector<double> here;
  read(Compiled(replay, {y}).run(), here);
  std::vector<std::vector<double>> out;
  for (std::uint32_t sample = 0; sample < kSamples; ++sample) {
    const Draw draw({key.seed, key.stream + sample + 1});
    const std::vector<double> far = disturbed(replay, y, draw, coarse),
                              near = disturbed(replay, y, draw, fine);
    std::vector<double>& found = out.emplace_back(here.size());
    for (std::size_t i = 0; i < here.size(); ++i) {
      const double by_coarse = std::fabs(far[i] - here[i]), by_fine = std::fabs(near[i] - here[i]);
      // What does not shrink with the disturbance is another branch, not rounding.
      if (std::isfinite(by_coarse) && by_fine <= by_coarse / 4) found[i] = (far[i] - here[i]) / coarse * eps;
    }
  }
  return out;
}

}  // namespace backdrop::checking
