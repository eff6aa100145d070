#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/attention.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/create.hpp>
#include <backdrop/ops/dropout.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/loss.hpp>
#include <backdrop/ops/matmul.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

namespace {

constexpr auto factor = attr::real("scale");
constexpr auto causal = attr::boolean("causal");
constexpr auto masked = attr::boolean("masked");
constexpr auto biased = attr::boolean("biased");
constexpr auto dropped = attr::boolean("dropped");
constexpr auto p = attr::real("p").between(0, 1);

// Where the optional inputs stand: those that are there, in this order.
constexpr std::size_t mask_at() { return 3; }
std::size_t bias_at(const Call& c) { return mask_at() + (c[masked] ? 1 : 0); }
std::size_t dropout_at(const Call& c) { return bias_at(c) + (c[biased] ? 1 : 0); }
std::size_t inputs_of(const Call& c) { return dropout_at(c) + (c[dropped] ? 1 : 0); }

[[noreturn]] void throw_shapes(const Shape& query, const Shape& key, const Shape& value) {
  throw ShapeError("scaled_dot_product_attention: query " + to_string(query) + ", key " + to_string(key) +
                   " and value " + to_string(value) +
                   " must have shapes [..., L, E], [..., S, E] and [..., S, V], S > 0");
}

Shape batch_of(const Shape& shape) { return Shape(shape.extents().first(shape.rank() - 2)); }

Shape product_shape(const Shape& batch, std::int64_t rows, std::int64_t columns) {
  std::vector<std::int64_t> extents(batch.begin(), batch.end());
  extents.insert(extents.end(), {rows, columns});
  return Shape(std::move(extents), scaled_dot_product_attention_op.name);
}

// The shape of the weights, [..., L, S].
Shape weights_shape(const Shape& query, const Shape& key, const Shape& value) {
  const std::size_t q = query.rank(), k = key.rank(), v = value.rank();
  if (q < 2 || k < 2 || v < 2 || query[q - 1] != key[k - 1] || key[k - 2] != value[v - 2] ||
      key[k - 2] == 0) {
    throw_shapes(query, key, value);
  }
  const Shape batch = broadcast(scaled_dot_product_attention_op.name, batch_of(query), batch_of(key));
  return product_shape(batch, query[q - 2], key[k - 2]);
}

void require_broadcast(const Call& c, std::size_t k, const Shape& weights) {
  if (broadcasts_to(c.shape(k), weights)) return;
  throw ShapeError("scaled_dot_product_attention: a mask " + to_string(c.shape(k)) +
                   " does not broadcast to the weights, " + to_string(weights));
}

Type infer_attention(const Call& c) {
  if (c.arity() != inputs_of(c)) {
    throw ShapeError("scaled_dot_product_attention: " + std::to_string(c.arity()) +
                     " inputs given, its attributes say " + std::to_string(inputs_of(c)));
  }
  infer::require_float(c, 0);
  infer::require_dtype(c, 1, c.dtype(0), ", as the query is");
  infer::require_dtype(c, 2, c.dtype(0), ", as the query is");
  const Shape weights = weights_shape(c.shape(0), c.shape(1), c.shape(2));
  if (c[masked]) infer::require_dtype(c, mask_at(), DType::mask);
  if (c[biased]) infer::require_dtype(c, bias_at(c), c.dtype(0), ", as the query is");
  if (c[dropped]) infer::require_dtype(c, dropout_at(c), DType::mask);
  for (std::size_t k = mask_at(); k < c.arity(); ++k) require_broadcast(c, k, weights);
  const Shape& value = c.shape(2);
  const Shape batch = broadcast(c.name(), batch_of(weights), batch_of(value));
  return {c.dtype(0),
          c.tape.intern(product_shape(batch, weights[weights.rank() - 2], value[value.rank() - 1]))};
}

// 1 where query i may attend to key j: j <= i.
Var lower_triangle(Tape& tape, const Shape& weights) {
  const std::int64_t rows = weights[weights.rank() - 2], columns = weights[weights.rank() - 1];
  return greater_equal(reshape(arange(tape, rows), {rows, 1}), arange(tape, columns));
}

Var attend(const Call& c) {
  Var scores = scale(matmul(c[0], c[1], {.transpose_b = true}), c[factor]);
  if (c[biased]) scores = add(scores, c[bias_at(c)]);
  Var allowed = c[masked] ? c[mask_at()] : Var{};
  if (c[causal]) {
    const Var past = lower_triangle(c.tape, scores.shape());
    allowed = allowed ? logical_and(allowed, past) : past;
  }
  if (allowed) {
    scores = masked_fill(scores, logical_not(allowed), -std::numeric_limits<double>::infinity());
  }
  Var weights = softmax(scores);
  // Selects: 0, and no gradient, instead of the NaN of a row without a key. (Key 0 is always in the past.)
  if (c[masked]) weights = mul(weights, allowed);
  if (c[dropped]) weights = dropout(weights, c[p], c[dropout_at(c)]);
  return matmul(weights, c[2]);
}

// The same without the dropout.
Var attend_without_dropout(const Call& c) {
  if (!c[dropped]) return c.y;
  std::vector<Var> inputs;
  inputs.reserve(c.arity());
  for (std::size_t k = 0; k < dropout_at(c); ++k) inputs.push_back(c[k]);
  const AttrValue attrs[] = {c[factor], c[causal], c[masked], c[biased], false, 0.0};
  return c.tape.record(scaled_dot_product_attention_op, inputs, attrs, Where::here());
}

}  // namespace

// y = dropout(softmax(scale q k' + bias)) v
constinit const Op scaled_dot_product_attention_op{
    .name = "scaled_dot_product_attention",
    .inputs = {"query", "key", "value", "mask, bias, dropout_mask..."},
    .attrs = {factor, causal, masked, biased, dropped, p},
    .formula =
        "y = dropout(softmax(scale query key' + bias), p, dropout_mask) value; weights are 0 where mask "
        "or causal (j <= i) exclude key j; the last inputs are those that masked, biased, dropped name",
    .jacobian = "that of its body",
    .singular = "a row of -inf in the bias: NaN",
    .infer = infer_attention,
    .body = attend,
    .inference = attend_without_dropout,
    .tolerance = 64,
};

Var scaled_dot_product_attention(Var query, Var key, Var value, const AttentionOptions& options,
                                 Where where) {
  Tape& tape = query.tape();
  return all_or_nothing(tape, [&] {
    const bool is_bias = options.mask && is_float(options.mask.dtype());
    const bool drops = options.p != 0 || options.dropout_mask;
    std::vector<Var> inputs{query, key, value};
    if (options.mask) inputs.push_back(options.mask);
    if (options.dropout_mask) {
      inputs.push_back(options.dropout_mask);
    } else if (drops) {
      if (!options.dropout_key) {
        throw ValueError("scaled_dot_product_attention: p = " + std::to_string(options.p) +
                         " needs a dropout_key or a dropout_mask");
      }
      const Shape shape = weights_shape(query.shape(), key.shape(), value.shape());
      inputs.push_back(dropout_mask(tape, shape, options.p, *options.dropout_key, where));
    }
    const std::int64_t width = query.shape().rank() == 0 ? 1 : query.shape().extents().back();
    const double scaled = options.scale.value_or(1 / std::sqrt(static_cast<double>(width)));
    const AttrValue attrs[] = {scaled, options.causal, options.mask && !is_bias, is_bias, drops, options.p};
    return tape.record(scaled_dot_product_attention_op, inputs, attrs, where);
  });
}

}  // namespace backdrop
