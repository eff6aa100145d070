#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hand/buffer.hpp"

namespace hand {

/// A classifier as one writes it for one machine and one purpose: OpenBLAS for the products, everything
/// between them fused by hand, and no memory that a step does not need. Dropout with p = 1/2.
class Mlp {
 public:
  Mlp(const std::vector<std::int64_t>& widths, std::int64_t batch, float learning_rate, std::uint64_t seed);

  /// Of layer k, [in, out] row by row; biases begin as zeros.
  Buffer<float>& weight(std::size_t k) { return layers_[k].weight; }

  /// Forward, backward and update for inputs [batch, in] and labels [batch]; the mean loss.
  float step(const float* inputs, const std::int64_t* labels, std::uint32_t step);

 private:
  struct Layer {
    Layer(std::size_t batch, std::size_t in, std::size_t out);
    std::size_t in, out;
    Buffer<float> weight, bias;
    Buffer<float> output;    // [batch, out]: after relu and dropout
    Buffer<float> gradient;  // of the loss, in what comes before relu and dropout
    Buffer<float> row;       // the gradient of the bias
  };

  void relu_and_dropout(Layer& layer, std::uint32_t stream, std::uint32_t step) const;
  float cross_entropy(Layer& layer, const std::int64_t* labels) const;
  void backward(const Layer& layer, Layer& below) const;
  void update(Layer& layer, const float* inputs) const;

  std::size_t batch_;
  float learning_rate_;
  std::uint64_t seed_;
  std::vector<Layer> layers_;
};

}  // namespace hand
