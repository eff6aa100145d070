#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/core/random.hpp>

/// Noise that is not x * mask / (1-p), but of its kind. p is the probability of *dropping*, everywhere; masks
/// (1 = kept) and noise are values, drawn by a key or given. without_dropout() in
/// <backdrop/graph/rewrite.hpp> puts the inference form in place of each, which is said below.
namespace backdrop {

extern const Op alpha_dropout_op;
extern const Op gaussian_dropout_op;
extern const Op drop_block_op;
extern const Op zoneout_op;

/// Dropout that keeps mean 0 and variance 1, for networks of selu: y = a (x where kept, s where dropped) + b
/// with s = -lambda alpha = -1.7580993..., what selu(-Inf) is, a = ((1-p) (1 + p s^2))^(-1/2), b = -a p s. A
/// mask broadcasts. p = 0 has a = 1 and b = 0; at p = 1 both are taken as 0, the limit of what is dropped. At
/// inference y = x. Throws as dropout. Klambauer et al., arXiv:1706.02515.
Var alpha_dropout(Var x, double p, Var mask, Where where = Where::here());
Var alpha_dropout(Var x, double p, Key key, Where where = Where::here());

/// alpha_dropout of whole features: x is [N, C, ...], a given mask [N, C] or [N, C, 1, ...].
Var feature_alpha_dropout(Var x, double p, Var mask, Where where = Where::here());
Var feature_alpha_dropout(Var x, double p, Key key, Where where = Where::here());

/// y = x * noise; at inference y = x, so the noise should have mean 1. Differentiable in both; the noise
/// broadcasts to x. Throws ShapeError, DTypeError.
Var gaussian_dropout(Var x, Var noise, Where where = Where::here());
/// gaussian_dropout by noise from N(1, p/(1-p)): the mean and variance of mask/(1-p). At p = 0 the noise is
/// 1; throws ValueError unless 0 <= p < 1. Srivastava et al., JMLR 15 (2014), section 10.
Var gaussian_dropout(Var x, double p, Key key, Where where = Where::here());

/// y = x * mask * n / k, where k of the mask's n bits are kept; 0 when none is. The mask (of the shape of x,
/// as drop_block_mask draws it) carries no derivative, nor does k. At inference y = x. Throws ShapeError,
/// DTypeError.
Var drop_block(Var x, Var mask, Where where = Where::here());
/// drop_block(x, drop_block_mask(x.shape(), p, block, key)). Ghiasi et al., arXiv:1810.12890.
Var drop_block(Var x, double p, std::int64_t block, Key key, Where where = Where::here());

/// A mask of `shape` [..., H, W] that drops squares of `block` by `block`: each place that one can have is
/// its corner with probability gamma = p H W / (block^2 (H-block+1) (W-block+1)), so that about p of all
/// elements are dropped (less where squares overlap). Each [H, W] has squares of its own. Throws ValueError
/// unless 0 <= p <= 1 and 1 <= block <= min(H, W), ShapeError for a rank below 2.
Var drop_block_mask(Tape& tape, const Shape& shape, double p, std::int64_t block, Key key,
                    Where where = Where::here());

/// The state of a recurrent network, of which units stay as they were with probability p: y = next where kept
/// (mask 1), previous where dropped. At inference y = p previous + (1-p) next, its mean. previous and next
/// have one shape, to which the mask broadcasts. Throws as dropout. Krueger et al., arXiv:1606.01305.
Var zoneout(Var previous, Var next, double p, Var mask, Where where = Where::here());
Var zoneout(Var previous, Var next, double p, Key key, Where where = Where::here());

}  // namespace backdrop
