#include <backdrop/backdrop.hpp>
#include <cstddef>
#include <memory>
#include <vector>

#include "hand/kernels.hpp"
#include "numbers.hpp"
#include "row.hpp"
#include "rows/contenders.hpp"

namespace backdrop::bench {

namespace {

// Softmax and cross entropy, with the gradient in the logits.
namespace cross_entropy_row {

constexpr std::int64_t kRows = 128, kColumns = 1000;

std::vector<float> logits() { return numbers<float>(kRows * kColumns, -4, 4); }

Sampler compiled() {
  Tape tape;
  const Var x = tape.variable("x", Tensor::from(logits(), {kRows, kColumns}));
  const Var classes = tape.constant(Tensor::from(labels(kRows, kColumns), {kRows}));
  const Var loss = cross_entropy(x, classes);
  return run_sampler(compile(tape, {.outputs = {loss, grad(loss, x)}, .updates = {}}));
}

Sampler by_hand() {
  const auto x = std::make_shared<hand::Buffer<float>>(logits());
  const auto gradient = std::make_shared<hand::Buffer<float>>(x->size());
  return sampler([x, gradient, classes = labels(kRows, kColumns)] {
    hand::softmax_cross_entropy(x->data(), classes.data(), kRows, kColumns, gradient->data());
  });
}

}  // namespace cross_entropy_row

// Layer norm with weight and bias, and the gradients in all three.
namespace layer_norm_row {

constexpr std::int64_t kRows = 4096, kColumns = 1024;

Sampler compiled() {
  Tape tape;
  const auto leaf = [&](const char* name, const Shape& shape) {
    return tape.variable(name, Tensor::from(numbers<float>(shape.numel(), -1, 1), shape));
  };
  const Var x = leaf("x", {kRows, kColumns}), g = leaf("g", {kRows, kColumns});
  const Var weight = leaf("weight", {kColumns}), bias = leaf("bias", {kColumns});
  const Var y = layer_norm(x, {kColumns}, {.weight = weight, .bias = bias});
  return run_sampler(forward_backward(y, {x, weight, bias}, g));
}

struct ByHand {
  hand::Buffer<float> x{numbers<float>(kRows * kColumns, -1, 1)}, g{numbers<float>(kRows * kColumns, -1, 1)};
  hand::Buffer<float> weight{numbers<float>(kColumns, -1, 1)}, bias{numbers<float>(kColumns, -1, 1)};
  hand::Buffer<float> y{kRows * kColumns}, gx{kRows * kColumns}, gweight{kColumns}, gbias{kColumns};
  hand::Buffer<hand::Normalized> kept{kRows};

  void run() {
    hand::layer_norm(x.data(), weight.data(), bias.data(), kRows, kColumns, y.data(), kept.data());
    hand::layer_norm_backward(x.data(), weight.data(), g.data(), kept.data(), kRows, kColumns, gx.data(),
                              gweight.data(), gbias.data());
  }
};

Sampler by_hand() {
  return sampler([work = std::make_shared<ByHand>()] { work->run(); });
}

}  // namespace layer_norm_row

}  // namespace

void add_row_wise(std::vector<Row>& rows) {
  rows.push_back({.name = "softmax_cross_entropy/128x1000",
                  .unit = "ns/element",
                  .things = cross_entropy_row::kRows * cross_entropy_row::kColumns,
                  .backdrop = cross_entropy_row::compiled,
                  .hand = cross_entropy_row::by_hand});
  rows.push_back({.name = "layer_norm/4096x1024",
                  .unit = "ns/element",
                  .things = layer_norm_row::kRows * layer_norm_row::kColumns,
                  .backdrop = layer_norm_row::compiled,
                  .hand = layer_norm_row::by_hand});
}

}  // namespace backdrop::bench
