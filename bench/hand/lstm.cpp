#include <cmath>

#include "hand/objectives.hpp"

namespace hand {

namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// One step of a layer in time, on hidden and cell.
void step(const double* weight, const double* bias, const double* input, double* hidden, double* cell,
          std::size_t bits) {
  for (std::size_t b = 0; b < bits; ++b) {
    const double forget = sigmoid(input[b] * weight[b] + bias[b]);
    const double in = sigmoid(hidden[b] * weight[bits + b] + bias[bits + b]);
    const double out = sigmoid(input[b] * weight[2 * bits + b] + bias[2 * bits + b]);
    const double change = std::tanh(hidden[b] * weight[3 * bits + b] + bias[3 * bits + b]);
    cell[b] = cell[b] * forget + in * change;
    hidden[b] = out * std::tanh(cell[b]);
  }
}

// The sum of target (y - log(2 + sum e^y)) for the output y of the last layer.
double log_probability(const double* extra, const double* x, const double* target, double* y,
                       std::size_t bits) {
  double sum = 0, out = 0;
  for (std::size_t b = 0; b < bits; ++b) {
    y[b] = x[b] * extra[bits + b] + extra[2 * bits + b];
    sum += std::exp(y[b]);
  }
  const double total = std::log(2 + sum);
  for (std::size_t b = 0; b < bits; ++b) out += target[b] * (y[b] - total);
  return out;
}

}  // namespace

double next_bits_loss(const Lstm& lstm) {
  const std::size_t bits = lstm.bits;
  std::vector<double> state = lstm.state, input(bits), y(bits);
  double sum = 0;
  for (std::size_t t = 0; t + 1 < lstm.steps; ++t) {
    for (std::size_t b = 0; b < bits; ++b) input[b] = lstm.sequence[t * bits + b] * lstm.extra[b];
    const double* x = input.data();
    for (std::size_t k = 0; k < lstm.layers; ++k) {
      const double* weight = &lstm.main[8 * bits * k];
      double* hidden = &state[2 * bits * k];
      step(weight, weight + 4 * bits, x, hidden, hidden + bits, bits);
      x = hidden;
    }
    sum += log_probability(lstm.extra.data(), x, &lstm.sequence[(t + 1) * bits], y.data(), bits);
  }
  return -sum / static_cast<double>((lstm.steps - 1) * bits);
}

}  // namespace hand
