#pragma once

#include <backdrop/core/op.hpp>

/// One step of a recurrent layer, with the formulas, order of gates and layout of weights of PyTorch. The
/// input is x [..., I], a state [..., H]; f32 or f64, the same everywhere (DTypeError, ShapeError).
namespace backdrop {

extern const Op rnn_cell_op;
extern const Op gru_cell_op;
extern const Op lstm_cell_op;

/// The weights of a cell, to be used again at every step: [G H, I] and [G H, H], of G gates one after the
/// other; and biases [G H], both or none.
struct CellWeights {
  Var w_ih;
  Var w_hh;
  Var b_ih{};
  Var b_hh{};
};

/// h' = tanh(w_ih x + b_ih + w_hh h + b_hh), or relu in its place. Elman 1990.
Var rnn_cell(Var x, Var h, const CellWeights& weights, bool relu = false, Where where = Where::here());

/// h' = (1-z) n + z h with gates r, z = sigmoid(w_ih x + b_ih + w_hh h + b_hh) and n = tanh(w_ih x + b_ih +
/// r (w_hh h + b_hh)), each with its part of the weights, in the order r, z, n. Cho et al., arXiv:1406.1078,
/// in the variant of PyTorch and cuDNN.
Var gru_cell(Var x, Var h, const CellWeights& weights, Where where = Where::here());

struct LstmState {
  Var h;
  Var c;
};
/// c' = f c + i g, h' = o tanh(c') with i, f, o = sigmoid and g = tanh of w_ih x + b_ih + w_hh h + b_hh, in
/// the order i, f, g, o. Hochreiter and Schmidhuber 1997; Gers et al. 2000. One node with h' and c' side by
/// side, and a slice for each.
LstmState lstm_cell(Var x, LstmState state, const CellWeights& weights, Where where = Where::here());

}  // namespace backdrop
