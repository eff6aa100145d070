#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/optimizer.hpp>
#include <backdrop/ops/ops.hpp>
#include <cmath>
#include <string>

namespace backdrop {

namespace {

void require(bool good, const char* what) {
  if (!good) throw ValueError(std::string("optimizer: ") + what);
}

const Variable& variable_behind(Var parameter) {
  const Tape& tape = parameter.tape();
  const Node& node = tape.node(parameter);
  if (node.op != &variable_op) {
    throw GraphError("optimizer: parameter '" + std::string(parameter.name()) + "' (" + node.op->name +
                     ") is no Variable; pass what tape.variable() returned");
  }
  return tape.variable_of(node);
}

void check(std::span<const Var> parameters, std::span<const Var> gradients, Var learning_rate) {
  if (parameters.size() != gradients.size()) {
    throw ShapeError("optimizer: " + std::to_string(gradients.size()) + " gradients for " +
                     std::to_string(parameters.size()) + " parameters");
  }
  if (learning_rate.shape().numel() != 1) {
    throw ShapeError("optimizer: the learning rate has shape " + to_string(learning_rate.shape()) +
                     "; give one element");
  }
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    learning_rate.tape().check(parameters[k]);
    learning_rate.tape().check(gradients[k]);
    const Variable& w = variable_behind(parameters[k]);
    if (!is_float(w.dtype()))
      throw DTypeError("optimizer: '" + w.name() + "' is " + to_string(w.dtype()) +
                       "; parameters are f32 or f64");
    if (gradients[k].dtype() != w.dtype()) {
      throw DTypeError("optimizer: the gradient of '" + w.name() + "' is " + to_string(gradients[k].dtype()));
    }
    if (gradients[k].shape() != w.shape()) {
      throw ShapeError("optimizer: the gradient of '" + w.name() + "' has shape " +
                       to_string(gradients[k].shape()) + ", not " + to_string(w.shape()));
    }
  }
}

// What an optimiser remembers about a parameter: zeros of its type at first.
Variable memory_of(const Variable& w, const char* what) {
  return Variable(w.name() + "." + what, Tensor::zeros(w.shape(), w.dtype()));
}

// A rank-0 number in the dtype of `like`.
Var in_dtype_of(Var like, Var number) {
  if (number.shape().rank() != 0) number = reshape(number, Shape{});
  return number.dtype() == like.dtype() ? number : cast(number, like.dtype());
}

Var with_decay(Var g, Var w, double weight_decay) {
  return weight_decay == 0 ? g : g + scale(w, weight_decay);
}

std::vector<Update> adam_updates(std::span<const Var> parameters, std::span<const Var> gradients,
                                 Var learning_rate, const AdamOptions& options, bool decoupled) {
  require(options.beta1 >= 0 && options.beta1 < 1, "beta1 lies in [0, 1)");
  require(options.beta2 >= 0 && options.beta2 < 1, "beta2 lies in [0, 1)");
  require(options.epsilon >= 0, "epsilon is not negative");
  require(options.weight_decay >= 0, "weight_decay is not negative");
  check(parameters, gradients, learning_rate);
  std::vector<Update> updates;
  if (parameters.empty()) return updates;
  Tape& tape = learning_rate.tape();
  // The count is kept in f64: 1 - beta^t = -expm1(t log beta) must be exact when it is small.
  const Variable count("adam.count", Tensor::scalar(0, DType::f64));
  const Var t = tape.variable(count) + 1.0;
  const auto correction = [&](double beta) {
    return beta == 0 ? full_like(t, 1) : neg(expm1(scale(t, std::log(beta))));
  };
  const Var rate = div(cast(learning_rate, DType::f64), correction(options.beta1));
  const Var root = sqrt(correction(options.beta2));
  updates.push_back({count, t});
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const Var w = parameters[k];
    const Variable variable = variable_behind(w);  // a copy: the tape moves its own when it learns of more
    const Variable first = memory_of(variable, "adam.m");
    const Variable second = memory_of(variable, "adam.v");
    const Var g = decoupled ? gradients[k] : with_decay(gradients[k], w, options.weight_decay);
    const Var m = scale(tape.variable(first), options.beta1) + scale(g, 1 - options.beta1);
    const Var v = scale(tape.variable(second), options.beta2) + scale(square(g), 1 - options.beta2);
    const Var size = sqrt(v) / in_dtype_of(w, root) + options.epsilon;
    Var next = w - in_dtype_of(w, rate) * (m / size);
    if (decoupled && options.weight_decay > 0) {
      next = next - in_dtype_of(w, learning_rate) * scale(w, options.weight_decay);
    }
    updates.push_back({variable, next});
    updates.push_back({first, m});
    updates.push_back({second, v});
  }
  return updates;
}

}  // namespace

std::vector<Update> sgd(std::span<const Var> parameters, std::span<const Var> gradients, Var learning_rate,
                        const SgdOptions& options) {
  require(options.momentum >= 0 && options.momentum < 1, "momentum lies in [0, 1)");
  require(options.weight_decay >= 0, "weight_decay is not negative");
  require(!options.nesterov || options.momentum > 0, "nesterov needs a momentum");
  check(parameters, gradients, learning_rate);
  std::vector<Update> updates;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const Var w = parameters[k];
    const Variable variable = variable_behind(w);  // a copy: the tape moves its own when it learns of more
    const Var g = with_decay(gradients[k], w, options.weight_decay);
    Var step = g;
    if (options.momentum > 0) {
      const Variable velocity = memory_of(variable, "sgd.v");
      const Var v = scale(w.tape().variable(velocity), options.momentum) + g;
      step = options.nesterov ? g + scale(v, options.momentum) : v;
      updates.push_back({velocity, v});
    }
    updates.push_back({variable, w - in_dtype_of(w, learning_rate) * step});
  }
  return updates;
}

std::vector<Update> adam(std::span<const Var> parameters, std::span<const Var> gradients, Var learning_rate,
                         const AdamOptions& options) {
  return adam_updates(parameters, gradients, learning_rate, options, false);
}

std::vector<Update> adamw(std::span<const Var> parameters, std::span<const Var> gradients, Var learning_rate,
                          const AdamOptions& options) {
  return adam_updates(parameters, gradients, learning_rate, options, true);
}

std::vector<Var> clip_grad_norm(std::span<const Var> gradients, double max_norm) {
  require(max_norm > 0, "max_norm is greater than 0");
  std::vector<Var> clipped;
  if (gradients.empty()) return clipped;
  for (Var g : gradients) {
    gradients[0].tape().check(g);
    if (!is_float(g.dtype()))
      throw DTypeError("clip_grad_norm: a gradient is " + to_string(g.dtype()) + "; give f32 or f64");
  }
  Var squares;
  for (Var g : gradients) {
    const Var s = square(cast(norm(g), DType::f64));  // squares of f32 may be too large for it
    squares = squares ? squares + s : s;
  }
  const Var norm = sqrt(squares);
  // where: a norm of 0 divides nothing, and no gradient grows.
  const Var factor = where(greater(norm, max_norm), max_norm / norm, 1.0);
  for (Var g : gradients) clipped.push_back(in_dtype_of(g, factor) * g);
  return clipped;
}

}  // namespace backdrop
