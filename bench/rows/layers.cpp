#include <backdrop/backdrop.hpp>
#include <vector>

#include "numbers.hpp"
#include "row.hpp"
#include "rows/contenders.hpp"

namespace backdrop::bench {

namespace {

Var leaf(Tape& tape, const char* name, const Shape& shape) {
  return tape.variable(name, Tensor::from(numbers<float>(shape.numel(), -1, 1), shape));
}

Sampler attention() {
  Tape tape;
  const Shape shape{8, 512, 64};
  const Var query = leaf(tape, "query", shape), key = leaf(tape, "key", shape);
  const Var values = leaf(tape, "value", shape), g = leaf(tape, "g", shape);
  const Var y = scaled_dot_product_attention(query, key, values, {.p = 0.1, .dropout_key = Key{42, 0}});
  return run_sampler(forward_backward(y, {query, key, values}, g));
}

Sampler convolution() {
  Tape tape;
  const Shape shape{8, 64, 56, 56};
  const Var x = leaf(tape, "x", shape), g = leaf(tape, "g", shape);
  const Var weight = leaf(tape, "weight", {64, 64, 3, 3}), bias = leaf(tape, "bias", {64});
  const Var y = conv2d(x, weight, bias, {.padding = {1}});
  return run_sampler(forward_backward(y, {x, weight, bias}, g));
}

}  // namespace

void add_layers(std::vector<Row>& rows) {
  rows.push_back(
      {.name = "attention/8 heads, 512 tokens, 64, dropout 0.1", .unit = "us/step", .backdrop = attention});
  rows.push_back(
      {.name = "conv2d/64 channels, 56x56, 3x3, batch 8", .unit = "us/step", .backdrop = convolution});
}

}  // namespace backdrop::bench
