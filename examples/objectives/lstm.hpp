#pragma once

#include <backdrop/backdrop.hpp>
#include <cstddef>
#include <vector>

/// An LSTM whose gates act on each unit by itself, trained to foretell the next of a sequence of bit vectors:
/// the LSTM objective of ADBench (Srajer, Kukelova, Fitzgibbon, arXiv:1807.10129).
namespace objectives {

namespace bd = backdrop;

struct Lstm {
  bd::Var main;   ///< [2 layers, 4 bits]: for each layer the weights of its four gates, then their biases
  bd::Var extra;  ///< [3, bits]: weights of the input, weights and biases of the output
  bd::Var state;  ///< [2 layers, bits]: for each layer the hidden state at first, then the cell
};

struct Layer {
  struct Gate {
    bd::Var weight, bias;
    bd::Var operator()(bd::Var x) const { return x * weight + bias; }
  };
  Gate forget, in, out, change;
  bd::Var hidden, cell;

  /// One step in time. The input of the layer decides what is forgotten and let out, the state what is let
  /// in.
  void step(bd::Var input) {
    const bd::Var let_in = bd::sigmoid(in(hidden)) * bd::tanh(change(hidden));
    cell = cell * bd::sigmoid(forget(input)) + let_in;
    hidden = bd::sigmoid(out(input)) * bd::tanh(cell);
  }
};

inline std::vector<Layer> layers_of(const Lstm& lstm) {
  const std::int64_t count = lstm.main.shape()[0] / 2, bits = lstm.state.shape()[1];
  std::vector<Layer> layers;
  layers.reserve(static_cast<std::size_t>(count));
  for (std::int64_t k = 0; k < count; ++k) {
    const std::vector<std::int64_t> quarters(4, bits);
    const std::vector<bd::Var> w = bd::split(bd::select(lstm.main, 0, 2 * k), quarters, 0);
    const std::vector<bd::Var> b = bd::split(bd::select(lstm.main, 0, 2 * k + 1), quarters, 0);
    layers.push_back({{w[0], b[0]},
                      {w[1], b[1]},
                      {w[2], b[2]},
                      {w[3], b[3]},
                      bd::select(lstm.state, 0, 2 * k),
                      bd::select(lstm.state, 0, 2 * k + 1)});
  }
  return layers;
}

/// The mean of -target (y - log(2 + sum e^y)) over all elements but the first, for a sequence [steps, bits]
/// of which each element is the target of the one before.
inline bd::Var next_bits_loss(const Lstm& lstm, bd::Var sequence) {
  const std::int64_t steps = sequence.shape()[0] - 1;
  std::vector<Layer> layers = layers_of(lstm);
  const bd::Var input_weight = bd::select(lstm.extra, 0, 0);
  std::vector<bd::Var> outputs;
  outputs.reserve(static_cast<std::size_t>(steps));
  for (std::int64_t t = 0; t < steps; ++t) {
    bd::Var x = bd::select(sequence, 0, t) * input_weight;
    for (Layer& layer : layers) {
      layer.step(x);
      x = layer.hidden;
    }
    outputs.push_back(x);
  }
  const bd::Var y = bd::stack(outputs) * bd::select(lstm.extra, 0, 1) + bd::select(lstm.extra, 0, 2);
  const bd::Var total = bd::log(2.0 + bd::sum(bd::exp(y), {1}, true));
  const bd::Var targets = bd::slice(sequence, {1}, {bd::kEnd});
  return -bd::mean(targets * (y - total));
}

}  // namespace objectives
