#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/graph/gradient.hpp>
#include <backdrop/graph/jacobian.hpp>
#include <backdrop/ops/create.hpp>
#include <vector>

#include "block_structure.hpp"
#include "compressed_jacobian.hpp"
#include "replay.hpp"

namespace backdrop {

namespace {

bool has_rule(const Op& op, std::size_t input) {
  if (input < kMaxInputs && op.derivative.each[input] != nullptr) return true;
  switch (op.vjp.word) {
    case Rules::Word::for_every:
      return true;
    case Rules::Word::per_input:
      return input < kMaxInputs && op.vjp.each[input] != nullptr;
    default:
      return op.body != nullptr || (op.recompute != nullptr && input == 0);
  }
}

std::size_t first_differentiable(Var node) {
  const Call c = node.tape().call(node.index());
  for (std::size_t k = 0; k < c.arity(); ++k) {
    if (is_float(c.dtype(k)) && has_rule(*c.node.op, k)) return k;
  }
  throw GraphError("local_jacobian: " + describe(node) + " has no derivative in any input");
}

Shape joined(const Shape& a, const Shape& b) {
  std::vector<std::int64_t> extents(a.begin(), a.end());
  extents.insert(extents.end(), b.begin(), b.end());
  return Shape(std::move(extents));
}

// By rows or by columns of all blocks at once, whichever are fewer.
Tensor in_blocks(const Replay& replay, Var y, Var x, std::size_t blocks) {
  const bool rows = y.shape().numel() <= x.shape().numel();
  const std::span<const Var> xs(&x, 1);
  const JacobianOptions options{.blocks = blocks};
  return (rows ? jacobians_by_rows(replay, y, xs, options) : jacobians_by_columns(replay, y, xs, options))[0];
}

// [elements of y, columns of a block] with zeros between the blocks.
Tensor spread_blocks(const Tensor& values, std::size_t blocks) {
  const auto m = static_cast<std::size_t>(values.shape()[0]), n = static_cast<std::size_t>(values.shape()[1]);
  Tensor out = Tensor::zeros({values.shape()[0], static_cast<std::int64_t>(n * blocks)}, values.dtype());
  for (std::size_t i = 0; i < m; ++i) {
    const std::size_t first = i / (m / blocks) * n;
    for (std::size_t j = 0; j < n; ++j) set_element(out, i * n * blocks + first + j, values.at(i * n + j));
  }
  return out;
}

// [elements of y, elements of x], in as few products with the Jacobian as its blocks or its pattern allow.
Tensor dense_jacobian(const Replay& replay, Var y, Var x) {
  constexpr std::size_t kFew = 4;  // not worth looking for a pattern
  const std::size_t blocks = independent_blocks(y, x);
  const std::size_t products = std::min(y.shape().numel(), x.shape().numel()) / blocks;
  if (products > kFew) {
    if (const auto sparse = compressed_jacobian(replay, y, x, products - 1)) return sparse->dense();
  }
  return spread_blocks(in_blocks(replay, y, x, blocks), blocks);
}

}  // namespace

LocalJacobian local_jacobian(Var node, std::optional<std::size_t> input, const ValueOptions& options) {
  const Call c = node.tape().call(node.index());
  const std::size_t k = input ? *input : first_differentiable(node);
  if (k >= c.arity() || !is_float(c.dtype(k)) || !is_float(node.dtype())) {
    throw GraphError("local_jacobian: " + describe(node) + " has no derivative in input " +
                     std::to_string(k));
  }
  // Every input gets a place of its own, so that an argument used twice counts once.
  std::vector<Var> inputs;
  for (std::size_t i = 0; i < c.arity(); ++i) inputs.push_back(c[i]);
  const std::vector<Tensor> values = value(inputs, options);
  Tape alone;
  std::vector<Var> leaves;
  for (std::size_t i = 0; i < values.size(); ++i) {
    leaves.push_back(i == k ? alone.input("x", values[i].shape(), values[i].dtype())
                            : alone.constant(values[i]));
  }
  const Var y = alone.record_again(node.tape(), node.index(), leaves);
  const ValueOptions at{{Feed("x", values[k])}, options.step, 1};
  const Structure structure = c.node.op->structure;
  if (structure == Structure::diagonal || structure == Structure::identity) {
    return {structure, k, value(vjp(y, leaves[k], full_like(y, 1)), at).reshape(y.shape())};
  }
  const Replay replay({&y, 1}, {&leaves[k], 1}, at, Replay::Precision::recorded);
  return {structure, k, jacobians_by_rows(replay, replay.roots()[0], replay.inputs())[0]};
}

Tensor LocalJacobian::dense() const {
  if (structure != Structure::diagonal && structure != Structure::identity) return values;
  const auto n = static_cast<std::int64_t>(values.numel());
  Tensor out = Tensor::zeros({n, n}, values.dtype());
  for (std::size_t i = 0; i < values.numel(); ++i) set_element(out, i * values.numel() + i, values.at(i));
  return out;
}

std::string to_string(const LocalJacobian& jacobian) {
  const auto n = static_cast<std::int64_t>(jacobian.values.numel());
  const bool diagonal =
      jacobian.structure == Structure::diagonal || jacobian.structure == Structure::identity;
  if (!diagonal) return to_string(jacobian.values);
  const bool ones = jacobian.values.same_bits(Tensor::ones(jacobian.values.shape(), jacobian.values.dtype()));
  if (jacobian.structure == Structure::identity && ones) return "identity(" + std::to_string(n) + ")";
  const std::string list = to_string(jacobian.values.reshape({n}));
  return "diag(" + list.substr(1, list.size() - 2) + ")";
}

BlockJacobian block_jacobian(Var y, Var x, const ValueOptions& options) {
  const Replay replay({&y, 1}, {&x, 1}, options, Replay::Precision::recorded);
  const Var to = replay.roots()[0], from = replay.inputs()[0];
  const std::size_t blocks = independent_blocks(to, from);
  return {blocks, in_blocks(replay, to, from, blocks)};
}

Structure BlockJacobian::structure() const {
  const bool diagonal = values.shape()[1] == 1 && values.numel() == blocks;
  return diagonal ? Structure::diagonal : blocks > 1 ? Structure::block : Structure::dense;
}

Tensor BlockJacobian::dense() const { return spread_blocks(values, blocks); }

Tensor jacobian(Var y, Var x, const ValueOptions& options) {
  const Replay replay({&y, 1}, {&x, 1}, options, Replay::Precision::recorded);
  return dense_jacobian(replay, replay.roots()[0], replay.inputs()[0]).reshape(joined(y.shape(), x.shape()));
}

Tensor hessian(Var y, Var x, const ValueOptions& options) {
  const Replay replay({&y, 1}, {&x, 1}, options, Replay::Precision::recorded);
  const Var at = replay.inputs()[0];
  return dense_jacobian(replay, grad(replay.roots()[0], at), at).reshape(joined(x.shape(), x.shape()));
}

}  // namespace backdrop
