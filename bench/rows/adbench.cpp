#include <backdrop/backdrop.hpp>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "hand/objectives.hpp"
#include "numbers.hpp"
#include "objectives/gaussian_mixture.hpp"
#include "objectives/lstm.hpp"
#include "row.hpp"
#include "rows/contenders.hpp"

// Problems of ADBench, of the sizes of its files, with numbers made here. What backdrop computes is the
// objective with its gradient; by hand, the objective alone.
namespace backdrop::bench {

namespace {

constexpr std::int64_t kComponents = 50, kDimensions = 10, kPoints = 1000;
constexpr std::int64_t kIcf = kDimensions + kDimensions * (kDimensions - 1) / 2;
constexpr std::int64_t kLayers = 4, kBits = 14, kSteps = 1024;

hand::Mixture mixture() {
  return {.components = kComponents,
          .dimensions = kDimensions,
          .points = kPoints,
          .alphas = numbers<double>(kComponents, -2, 2, 1),
          .means = numbers<double>(kComponents * kDimensions, 0, 1, 2),
          .icf = numbers<double>(kComponents * kIcf, -1, 1, 3),
          .x = numbers<double>(kPoints * kDimensions, -3, 3, 4)};
}

hand::Lstm lstm() {
  std::vector<double> sequence = numbers<double>(kSteps * kBits, 0, 1, 4);
  for (double& bit : sequence) bit = std::round(bit);
  return {.layers = kLayers,
          .bits = kBits,
          .steps = kSteps,
          .main = numbers<double>(2 * kLayers * 4 * kBits, 0, 1, 1),
          .extra = numbers<double>(3 * kBits, 0, 1, 2),
          .state = numbers<double>(2 * kLayers * kBits, 0, 1, 3),
          .sequence = sequence};
}

struct Objective {
  Var value;
  std::vector<Var> parameters;

  Program compiled() const {
    std::vector<Var> outputs = grad(value, parameters);
    outputs.insert(outputs.begin(), value);
    return compile(value.tape(), {.outputs = outputs, .updates = {}});
  }
};

Var leaf(Tape& tape, const char* name, const std::vector<double>& numbers, const Shape& shape) {
  return tape.variable(name, Tensor::from(numbers, shape));
}

Objective record_mixture(Tape& tape) {
  const hand::Mixture m = mixture();
  const objectives::Mixture recorded{leaf(tape, "alphas", m.alphas, {kComponents}),
                                     leaf(tape, "means", m.means, {kComponents, kDimensions}),
                                     leaf(tape, "icf", m.icf, {kComponents, kIcf})};
  const Var points = tape.constant(Tensor::from(m.x, {kPoints, kDimensions}));
  return {objectives::log_likelihood(recorded, points, {.gamma = 1, .m = 0}),
          {recorded.alphas, recorded.means, recorded.icf}};
}

Objective record_lstm(Tape& tape) {
  const hand::Lstm l = lstm();
  const objectives::Lstm recorded{leaf(tape, "main", l.main, {2 * kLayers, 4 * kBits}),
                                  leaf(tape, "extra", l.extra, {3, kBits}),
                                  leaf(tape, "state", l.state, {2 * kLayers, kBits})};
  const Var sequence = tape.constant(Tensor::from(l.sequence, {kSteps, kBits}));
  return {objectives::next_bits_loss(recorded, sequence), {recorded.main, recorded.extra}};
}

template <class Problem>
Row row(const std::string& name, Objective (*record)(Tape&), Problem (*make)(),
        double (*by_hand)(const Problem&)) {
  return {.name = name,
          .unit = "us/gradient",
          .backdrop =
              [=] {
                Tape tape;
                return run_sampler(record(tape).compiled());
              },
          .hand =
              [=] {
                const Problem problem = make();
                Tape tape;
                const double ours = value(record(tape).value).item(), theirs = by_hand(problem);
                if (!(std::abs(ours - theirs) <= 1e-9 * std::abs(ours))) {
                  throw std::logic_error(name + " is " + std::to_string(ours) + ", by hand " +
                                         std::to_string(theirs));
                }
                return sampler([=, sum = 0.0]() mutable { sum += by_hand(problem); });
              }};
}

}  // namespace

void add_adbench(std::vector<Row>& rows) {
  rows.push_back(row("adbench_gmm/d10_K50", record_mixture, mixture, hand::log_likelihood));
  rows.push_back(row("adbench_lstm/l4_c1024", record_lstm, lstm, hand::next_bits_loss));
}

}  // namespace backdrop::bench
