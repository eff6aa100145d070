#pragma once

#include <backdrop/core/op.hpp>
#include <limits>
#include <vector>

/// Moving elements about. All of these take any dtype unless they say otherwise; negative axes count from the
/// last.
namespace backdrop {

extern const Op broadcast_to_op;
extern const Op sum_to_op;
extern const Op reshape_op;
extern const Op transpose_op;
extern const Op slice_op;
extern const Op unslice_op;
extern const Op concat_op;
extern const Op tril_op;
extern const Op triu_op;

/// x repeated along missing leading axes and axes of extent 1, by NumPy's rule. Any dtype. Throws ShapeError.
Var broadcast_to(Var x, const Shape& shape, Where where = Where::here());

/// The transpose of broadcast_to: sums x down to `shape`, which must broadcast to x's. Throws ShapeError.
Var sum_to(Var x, const Shape& shape, Where where = Where::here());

/// The same elements in row-major order under another shape, of which one extent may be -1 (inferred). Any
/// dtype. Throws ShapeError when the counts differ.
Var reshape(Var x, std::span<const std::int64_t> extents, Where where = Where::here());
inline Var reshape(Var x, std::initializer_list<std::int64_t> extents, Where where = Where::here()) {
  return reshape(x, std::span<const std::int64_t>(extents.begin(), extents.size()), where);
}
inline Var reshape(Var x, const Shape& shape, Where where = Where::here()) {
  return reshape(x, shape.extents(), where);
}

/// x without `axes`, which must have extent 1; none given = without all such axes. Throws ShapeError.
Var squeeze(Var x, const std::vector<std::int64_t>& axes = {}, Where where = Where::here());

/// x with a new axis of extent 1, which is axis `axis` of the result. Throws ShapeError.
Var unsqueeze(Var x, std::int64_t axis, Where where = Where::here());

/// x with axes first ... last joined to one; rank 0 gives [1]. Throws ShapeError.
Var flatten(Var x, std::int64_t first = 0, std::int64_t last = -1, Where where = Where::here());

/// x with its axes in another order: axis k of the result is axis axes[k] of x; none given = reversed, as in
/// NumPy. Throws ShapeError unless each axis is named once.
Var transpose(Var x, const std::vector<std::int64_t>& axes = {}, Where where = Where::here());

/// transpose with all axes named, as PyTorch's permute.
inline Var permute(Var x, const std::vector<std::int64_t>& axes, Where where = Where::here()) {
  if (x.shape().rank() > 0 && axes.empty()) return transpose(x, {0}, where);  // which says what is missing
  return transpose(x, axes, where);
}

/// x with two axes exchanged. Throws ShapeError.
Var swap_axes(Var x, std::int64_t a, std::int64_t b, Where where = Where::here());

/// As a stop: up to the last element. A stop of kBegin with a negative step: down to the first.
inline constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kBegin = std::numeric_limits<std::int64_t>::min();

/// NumPy's x[start:stop:step, ...] for the leading axes; the others are whole. Negative positions count from
/// the end, positions outside are clipped, steps may be negative; no steps given = 1. Throws ShapeError when
/// the lists differ in length or are longer than the rank, ValueError for a step of 0.
Var slice(Var x, const std::vector<std::int64_t>& starts, const std::vector<std::int64_t>& stops,
          const std::vector<std::int64_t>& steps = {}, Where where = Where::here());

/// x with zeros around: before[k] and after[k] of them at the ends of axis k. f32, f64 or i64. Throws
/// ShapeError for a negative width or a list that is not as long as the rank.
Var pad(Var x, const std::vector<std::int64_t>& before, const std::vector<std::int64_t>& after,
        Where where = Where::here());

/// What stands around a padded tensor: one number; what lies within, mirrored without the edge itself; the
/// edge repeated (NumPy's edge); or the other end (NumPy's wrap). The names are PyTorch's.
enum class PadMode : std::uint8_t { constant, reflect, replicate, circular };

/// x with before[k] and after[k] elements around axis k, chosen by `mode`; `value` fills when it is constant.
/// Throws as pad above does, and ShapeError when an axis is too short to give what is asked of it.
Var pad(Var x, const std::vector<std::int64_t>& before, const std::vector<std::int64_t>& after, PadMode mode,
        double value = 0, Where where = Where::here());

/// x with the order along `axes` reversed; none given = all. Throws ShapeError.
Var flip(Var x, const std::vector<std::int64_t>& axes = {}, Where where = Where::here());

/// x moved by shifts[k] places along axes[k], what leaves at one end coming in at the other. Throws
/// ShapeError.
Var roll(Var x, const std::vector<std::int64_t>& shifts, const std::vector<std::int64_t>& axes,
         Where where = Where::here());

/// x laid counts[k] times along axis k, after leading axes of extent 1 were added to the shorter of both:
/// NumPy's and PyTorch's tile. Throws ShapeError for a negative count.
Var tile(Var x, const std::vector<std::int64_t>& counts, Where where = Where::here());

/// tile with a count for every axis at least, or ShapeError: PyTorch's Tensor.repeat.
Var repeat(Var x, const std::vector<std::int64_t>& counts, Where where = Where::here());

/// Every position along `axis` `count` times in a row. Throws ShapeError.
Var repeat_interleave(Var x, std::int64_t count, std::int64_t axis, Where where = Where::here());

/// y[..., i] = x[..., i, ..., i + offset, ...]: a diagonal of two axes, which stands last. Throws ShapeError
/// when the axes are one.
Var diagonal(Var x, std::int64_t offset = 0, std::int64_t axis1 = 0, std::int64_t axis2 = 1,
             Where where = Where::here());

/// [..., C f^2, H, W] -> [..., C, H f, W f], each group of f^2 channels becoming f x f pixels;
/// pixel_unshuffle is the way back. Shi et al., arXiv:1609.05158. Throws ShapeError when f does not divide.
Var pixel_shuffle(Var x, std::int64_t factor, Where where = Where::here());
Var pixel_unshuffle(Var x, std::int64_t factor, Where where = Where::here());

/// x[..., index, ...]: what lies at `index` of `axis`, which is dropped; a negative index counts from the
/// end. Throws ValueError when the index lies outside.
Var select(Var x, std::int64_t axis, std::int64_t index, Where where = Where::here());

/// x cut along `axis` into parts of these sizes, which must add up. Throws ShapeError.
std::vector<Var> split(Var x, const std::vector<std::int64_t>& sizes, std::int64_t axis,
                       Where where = Where::here());

/// x cut along `axis` into parts of this size, of which the last may be smaller: PyTorch's split with a
/// number. Throws ShapeError unless size > 0.
std::vector<Var> split_every(Var x, std::int64_t size, std::int64_t axis, Where where = Where::here());

/// x cut along `axis` into at most `count` parts, all but the last of one size, the least that suffices:
/// PyTorch's chunk. Throws ShapeError unless count > 0.
std::vector<Var> chunk(Var x, std::int64_t count, std::int64_t axis, Where where = Where::here());

/// All of x[..., index, ...] along `axis`, which is dropped. Throws ShapeError.
std::vector<Var> unbind(Var x, std::int64_t axis = 0, Where where = Where::here());

/// The parts one after another along `axis`, in which alone their shapes may differ. Throws ShapeError when
/// they do elsewhere or there are none, DTypeError when dtypes mix.
Var concat(const std::vector<Var>& parts, std::int64_t axis, Where where = Where::here());

/// x on and below (tril), or on and above (triu), diagonal k of its last two axes, +0 elsewhere: j - i <= k
/// or >= k. f32, f64 or i64. Throws
/// ShapeError below rank 2.
Var tril(Var x, std::int64_t k = 0, Where where = Where::here());
Var triu(Var x, std::int64_t k = 0, Where where = Where::here());

/// The parts, of one shape, along a new axis `axis` of the result. Throws as concat does.
Var stack(const std::vector<Var>& parts, std::int64_t axis = 0, Where where = Where::here());

}  // namespace backdrop
