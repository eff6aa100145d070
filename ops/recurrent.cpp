#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/matmul.hpp>
#include <backdrop/ops/recurrent.hpp>
#include <string>
#include <vector>

#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

namespace {

constexpr auto rectified = attr::boolean("relu");

// Inputs are x, the states, w_ih, w_hh and the biases b_ih and b_hh, or none.
struct Cell {
  std::size_t states;
  std::int64_t gates;

  std::size_t w_ih() const { return 1 + states; }
  std::size_t w_hh() const { return 2 + states; }
  std::size_t b_ih() const { return 3 + states; }
};
constexpr Cell kRnn{1, 1}, kGru{1, 3}, kLstm{2, 4};

std::int64_t width(const Shape& shape) { return shape.extents().back(); }

void require_shape(const Call& c, std::size_t k, const Shape& shape) {
  if (c.shape(k) == shape) return;
  const std::size_t last = c.node.op->arity() - 1;
  throw ShapeError(std::string(c.name()) + ": input '" + c.node.op->inputs[std::min(k, last)] + "' is " +
                   to_string(c.shape(k)) + ", but must be " + to_string(shape) + " beside x " +
                   to_string(c.shape(0)) + " and h " + to_string(c.shape(1)));
}

void require_cell(const Call& c, Cell cell) {
  const std::size_t biases = c.arity() - cell.b_ih();
  if (biases != 0 && biases != 2) throw ShapeError(std::string(c.name()) + ": takes two biases or none");
  infer::require_float(c, 0);
  for (std::size_t k = 1; k < c.arity(); ++k) infer::require_dtype(c, k, c.dtype(0), ", as x is");
  const Shape &x = c.shape(0), &h = c.shape(1);
  const bool alike = x.rank() > 0 && x.rank() == h.rank() &&
                     std::ranges::equal(x.extents().first(x.rank() - 1), h.extents().first(h.rank() - 1));
  if (!alike) {
    throw ShapeError(std::string(c.name()) + ": x " + to_string(x) + " and h " + to_string(h) +
                     " must have shapes [..., I] and [..., H]");
  }
  const std::int64_t rows = cell.gates * width(h);
  if (cell.states == 2) require_shape(c, 2, h);
  require_shape(c, cell.w_ih(), {rows, width(x)});
  require_shape(c, cell.w_hh(), {rows, width(h)});
  for (std::size_t k = cell.b_ih(); k < c.arity(); ++k) require_shape(c, k, {rows});
}

// w_ih x + b_ih and w_hh h + b_hh
struct Parts {
  Var of_x, of_h;
};
Parts parts(const Call& c, Cell cell) {
  Parts out{matmul(c[0], c[cell.w_ih()], {.transpose_b = true}),
            matmul(c[1], c[cell.w_hh()], {.transpose_b = true})};
  if (c.arity() == cell.b_ih()) return out;
  return {add(out.of_x, c[cell.b_ih()]), add(out.of_h, c[cell.b_ih() + 1])};
}

std::vector<Var> gates(Var joined, Cell cell) {
  const std::int64_t each = width(joined.shape()) / cell.gates;
  return split(joined, std::vector<std::int64_t>(static_cast<std::size_t>(cell.gates), each), -1);
}

Var rnn(const Call& c) {
  const auto [of_x, of_h] = parts(c, kRnn);
  const Var sum = add(of_x, of_h);
  return c[rectified] ? relu(sum) : tanh(sum);
}

Var gru(const Call& c) {
  const auto [of_x, of_h] = parts(c, kGru);
  const std::vector<Var> xs = gates(of_x, kGru), hs = gates(of_h, kGru);
  const Var r = sigmoid(add(xs[0], hs[0])), z = sigmoid(add(xs[1], hs[1]));
  const Var n = tanh(add(xs[2], mul(r, hs[2])));
  return add(n, mul(z, sub(c[1], n)));
}

Var lstm(const Call& c) {
  const auto [of_x, of_h] = parts(c, kLstm);
  const std::vector<Var> all = gates(add(of_x, of_h), kLstm);
  const Var i = sigmoid(all[0]), f = sigmoid(all[1]), g = tanh(all[2]), o = sigmoid(all[3]);
  const Var memory = add(mul(f, c[2]), mul(i, g));
  return concat({mul(o, tanh(memory)), memory}, -1);
}

Type infer_lstm(const Call& c) {
  require_cell(c, kLstm);
  std::vector<std::int64_t> extents(c.shape(1).begin(), c.shape(1).end());
  extents.back() *= 2;
  return {c.dtype(0), c.tape.intern(Shape(std::move(extents), c.name()))};
}

std::vector<Var> listed(std::vector<Var> inputs, const CellWeights& weights) {
  for (const Var& v : {weights.w_ih, weights.w_hh, weights.b_ih, weights.b_hh}) {
    if (v) inputs.push_back(v);
  }
  return inputs;
}

}  // namespace

// h' = tanh(w_ih x + b_ih + w_hh h + b_hh)
constinit const Op rnn_cell_op{
    .name = "rnn_cell",
    .inputs = {"x", "h", "w_ih", "w_hh", "b_ih, b_hh..."},
    .attrs = {rectified},
    .formula = "y = tanh(w_ih x + b_ih + w_hh h + b_hh); relu in place of tanh if `relu`",
    .jacobian = "that of its body",
    .singular = "if `relu`, where its argument is 0: 0",
    .infer =
        [](const Call& c) {
          require_cell(c, kRnn);
          return c.type(1);
        },
    .body = rnn,
    .tolerance = 64,
};

// h' = (1-z) n + z h
constinit const Op gru_cell_op{
    .name = "gru_cell",
    .inputs = {"x", "h", "w_ih", "w_hh", "b_ih, b_hh..."},
    .formula =
        "y = (1-z) n + z h; a = w_ih x + b_ih, b = w_hh h + b_hh, both in thirds r, z, n; r = sigmoid(ar + "
        "br), z = sigmoid(az + bz), n = tanh(an + r bn)",
    .jacobian = "that of its body",
    .infer =
        [](const Call& c) {
          require_cell(c, kGru);
          return c.type(1);
        },
    .body = gru,
    .tolerance = 64,
};

// [h', c'] with c' = f c + i g, h' = o tanh(c')
constinit const Op lstm_cell_op{
    .name = "lstm_cell",
    .inputs = {"x", "h", "c", "w_ih", "w_hh", "b_ih, b_hh..."},
    .formula =
        "y = [o tanh(m), m] along the last axis, m = f c + i g; w_ih x + b_ih + w_hh h + b_hh in quarters "
        "i, f, g, o, under sigmoid, and tanh for g",
    .jacobian = "that of its body",
    .infer = infer_lstm,
    .body = lstm,
    .tolerance = 64,
};

Var rnn_cell(Var x, Var h, const CellWeights& weights, bool relu, Where where) {
  const AttrValue attrs[] = {relu};
  return x.tape().record(rnn_cell_op, listed({x, h}, weights), attrs, where);
}

Var gru_cell(Var x, Var h, const CellWeights& weights, Where where) {
  return x.tape().record(gru_cell_op, listed({x, h}, weights), {}, where);
}

LstmState lstm_cell(Var x, LstmState state, const CellWeights& weights, Where where) {
  return all_or_nothing(x.tape(), [&] {
    const Var both = x.tape().record(lstm_cell_op, listed({x, state.h, state.c}, weights), {}, where);
    const std::int64_t each = width(both.shape()) / 2;
    const std::vector<Var> parts_of = split(both, {each, each}, -1, where);
    return LstmState{parts_of[0], parts_of[1]};
  });
}

}  // namespace backdrop
