// Fits a mixture of normal distributions to points that it draws itself, by following the gradient of the
// likelihood.

#include <backdrop/backdrop.hpp>
#include <vector>

#include "objectives/gaussian_mixture.hpp"

namespace bd = backdrop;

// n points around each of three centres: round clouds of deviation 0.3.
bd::Tensor draw(std::int64_t n, bd::Key key) {
  bd::Tape tape;
  const bd::Var centres = tape.constant(bd::Tensor({{2, 0}, {-1, 1}, {-1, -1}}, bd::DType::f64));
  const bd::Var noise = bd::normal(tape, {n, 3, 2}, 0, 0.3, key, bd::DType::f64);
  return bd::value(bd::reshape(noise + centres, {3 * n, 2}));
}

int main() {
  constexpr std::int64_t kEach = 100, kComponents = 3, kDimensions = 2;
  bd::Keys keys(42);
  bd::Tape tape;
  const bd::Var points = tape.constant(draw(kEach, keys.next()));
  const bd::Var alphas = tape.variable("alphas", bd::Tensor::zeros({kComponents}, bd::DType::f64));
  const bd::Var means = tape.variable("means", bd::Tensor({{1, 1}, {-1, 0.5}, {0, -1}}, bd::DType::f64));
  const bd::Var icf = tape.variable("icf", bd::Tensor::zeros({kComponents, kDimensions + 1}, bd::DType::f64));

  const bd::Var likelihood = objectives::log_likelihood({alphas, means, icf}, points, {.gamma = 0.1, .m = 0});
  const std::vector<bd::Var> parameters{alphas, means, icf};
  const bd::Var rate = tape.constant(bd::Tensor::scalar(0.03, bd::DType::f64));
  const bd::Program step = bd::compile(
      tape,
      {.outputs = {likelihood}, .updates = bd::adam(parameters, bd::grad(-likelihood, parameters), rate)});
  for (std::uint32_t k = 0; k <= 400; ++k) {
    const bd::Outputs outputs = step.run({}, {.step = k});
    if (k % 100 == 0) fmt::print("step {:3}: log likelihood {:.1f}\n", k, outputs[0].item());
  }

  // The diagonal of Q is one over the deviation.
  const auto found = bd::value({bd::softmax(alphas), means, bd::exp(-bd::slice(icf, {0, 0}, {bd::kEnd, 2}))});
  for (std::size_t k = 0; k < kComponents; ++k) {
    fmt::print("weight {:.2f}, mean ({:.1f}, {:.1f}), deviations {:.1f} and {:.1f}\n", found[0].at(k),
               found[1].at(2 * k), found[1].at(2 * k + 1), found[2].at(2 * k), found[2].at(2 * k + 1));
  }
}
