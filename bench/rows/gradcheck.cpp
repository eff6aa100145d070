#include <backdrop/backdrop.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "numbers.hpp"
#include "row.hpp"

namespace backdrop::bench {

namespace {

// A small network, checked in all of its parameters and inputs.
struct Network {
  Tape tape;
  Var x = variable("x", {4, 20});
  Var w1 = variable("w1", {20, 50}), b1 = variable("b1", {50});
  Var w2 = variable("w2", {50, 10}), b2 = variable("b2", {10});
  Var hidden = dropout(relu(matmul(x, w1) + b1), 0.5, Key{1, 0});
  Var y = matmul(hidden, w2) + b2;
  std::vector<Var> inputs{x, w1, b1, w2, b2};

  Var variable(const char* name, const Shape& shape) {
    return tape.variable(name, Tensor::from(numbers<double>(shape.numel(), -0.5, 0.5), shape));
  }
  double jacobian_entries() const {
    std::size_t entries = 0;
    for (const Var& v : inputs) entries += y.shape().numel() * v.shape().numel();
    return static_cast<double>(entries);
  }
};

template <class Check>
Row row(const std::string& what, Check check) {
  return {.name = "gradcheck/" + what + "/mlp 20-50-10, batch 4, f64",
          .unit = "ns/entry",
          .things = Network().jacobian_entries(),
          .backdrop = [check] {
            return sampler([network = std::make_shared<Network>(), check] { check(*network); });
          }};
}

}  // namespace

void add_gradchecks(std::vector<Row>& rows) {
  rows.push_back(
      row("full, extrapolated", [](const Network& network) { gradcheck(network.y, network.inputs); }));
  rows.push_back(row("full, central", [](const Network& network) {
    gradcheck(network.y, network.inputs, {.extrapolate = false});
  }));
  rows.push_back(row("jacobian", [](const Network& network) {
    for (const Var& v : network.inputs) jacobian(network.y, v);
  }));
}

}  // namespace backdrop::bench
