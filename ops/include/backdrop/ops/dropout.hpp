#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/core/random.hpp>

/// Dropout, and what is dropout with one bit for more than an element. In all of these p is the probability
/// of *dropping*, 0 <= p <= 1 (otherwise ValueError); p = 0 changes no bit, p = 1 drops everything that a
/// drawn mask covers and scales by 0. A mask (1 = kept) is a value: drawn by a key, or given. For inference,
/// without_dropout() in <backdrop/graph/rewrite.hpp> takes all of them out.
/// More of the family is in <backdrop/ops/dropout_variants.hpp>.
namespace backdrop {

extern const Op dropout_op;
extern const Op dropout_mask_op;
extern const Op drawn_dropout_op;
extern const Op drop_path_op;

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

/// The same values as dropout(x, p, key), bit for bit, as one node: its mask is never stored, and its
/// derivatives draw it again. Where it pays, compile makes this of the two nodes.
Var drawn_dropout(Var x, double p, Key key, Where where = Where::here());

/// Dropout of whole features (channels): y[n, c, ...] = x[n, c, ...] * mask[n, c] / (1-p). x is [N, C, ...];
/// a given mask is [N, C] or [N, C, 1, ...]. Throws ShapeError. Tompson et al., arXiv:1411.4280.
Var feature_dropout(Var x, double p, Var mask, Where where = Where::here());
Var feature_dropout(Var x, double p, Key key, Where where = Where::here());

/// feature_dropout as PyTorch names it: x is [N, C, ...] or, without a batch, [C, ...], where ... are one,
/// two or three axes. A given mask is [N, C] or [C], with or without axes of extent 1. Throws ShapeError.
Var dropout1d(Var x, double p, Var mask, Where where = Where::here());
Var dropout1d(Var x, double p, Key key, Where where = Where::here());
Var dropout2d(Var x, double p, Var mask, Where where = Where::here());
Var dropout2d(Var x, double p, Key key, Where where = Where::here());
Var dropout3d(Var x, double p, Var mask, Where where = Where::here());
Var dropout3d(Var x, double p, Key key, Where where = Where::here());

/// Dropout with one mask for all of time: y[..., t, ...] = x[..., t, ...] * mask[..., ...] / (1-p). A given
/// mask has the shape of x without its axis `time`, or with extent 1 there. (In a loop over steps, use one
/// mask in each dropout(h, p, mask).) Throws ShapeError. Gal and Ghahramani, arXiv:1512.05287.
Var variational_dropout(Var x, double p, Var mask, std::int64_t time, Where where = Where::here());
Var variational_dropout(Var x, double p, Key key, std::int64_t time, Where where = Where::here());

/// A linear map of which weights are dropped: y = x (weight * mask / (1-p))', for x [..., in] and weight
/// [out, in], as in PyTorch's linear; one mask for the batch. A bias is added by the caller. Throws
/// ShapeError, DTypeError. Wan et al., ICML 2013 (who approximate inference by sampling; here it is the map
/// by all weights).
Var drop_connect(Var x, Var weight, double p, Var mask, Where where = Where::here());
Var drop_connect(Var x, Var weight, double p, Key key, Where where = Where::here());

/// Stochastic depth: drops a whole residual branch x for some of the samples along its first axis. With
/// `scale_by_keep` y[n, ...] = x[n, ...] * mask[n] / (1-p), and at inference y = x; without, as in the paper,
/// y[n, ...] = x[n, ...] * mask[n], and at inference y = (1-p) x, its mean. A given mask is [N] or [N, 1,
/// ...]. Throws ShapeError. Huang et al., arXiv:1603.09382; called drop path by Larsson et al.,
/// arXiv:1605.07648.
Var drop_path(Var x, double p, Var mask, bool scale_by_keep = true, Where where = Where::here());
Var drop_path(Var x, double p, Key key, bool scale_by_keep = true, Where where = Where::here());

}  // namespace backdrop
