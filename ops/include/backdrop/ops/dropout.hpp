#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/core/random.hpp>

namespace backdrop {

extern const Op dropout_op;
extern const Op dropout_mask_op;

/// A mask of `shape` (1 = kept, with probability 1-p; p is the probability of *dropping*), drawn by `key` and
/// the step of the run: the layout in <backdrop/core/random.hpp>. Throws ValueError unless 0 <= p <= 1.
Var dropout_mask(Tape& tape, const Shape& shape, double p, Key key, Where where = Where::here());

/// y = x * mask / (1-p), with p the probability of *dropping*: the node whose local Jacobian is
/// diag(mask/(1-p)). Equal bit for bit to scale(mul(x, mask), keep_scale(p)), its body: dropped units are +0
/// and receive gradient exactly 0. x is f32 or f64; mask has dtype `mask` and a shape that broadcasts to x's.
/// Throws ValueError unless 0 <= p <= 1, DTypeError when a float tensor stands where a mask is meant.
/// Hinton et al., arXiv:1207.0580; Srivastava et al., JMLR 15 (2014); the inverted form divides by 1-p.
Var dropout(Var x, double p, Var mask, Where where = Where::here());

/// dropout(x, p, dropout_mask(x.shape(), p, key)).
Var dropout(Var x, double p, Key key, Where where = Where::here());

}  // namespace backdrop
