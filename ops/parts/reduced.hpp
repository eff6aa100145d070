#pragma once

#include <backdrop/core/op.hpp>
#include <span>

namespace backdrop {

/// The attributes and the type rule that reductions share: f32 or f64 over canonical axes.
namespace reduced {
inline constexpr auto axes = attr::ints("axes");
inline constexpr auto keepdims = attr::boolean("keepdims");

Type infer(const Call& c);
/// The same for what is undefined over nothing: throws ShapeError when a reduced axis is empty.
Type infer_some(const Call& c);
/// The axes before the first that is reduced: an Op's `leading`.
std::size_t leading(const Call& c, std::size_t input);
/// The same op over the same axes of every value: an Op's `batch`.
Var batch(const Call& c, std::span<const Var> x);
/// Records `op`, whose attributes begin with axes and keepdims, over `axes` as a user gave them.
Var record(const Op& op, Var x, std::span<const std::int64_t> axes, bool keepdims, Where where);
/// How many elements of input 0 fall onto one of the output.
double terms(const Call& c);
}  // namespace reduced

/// Throws ShapeError unless `axes` are sorted, unique and within the rank of input 0.
void require_canonical_axes(const Call& c, std::span<const std::int64_t> axes);

/// `from` without `axes` (sorted, unique), or with extent 1 there.
Shape reduced_shape(const Shape& from, std::span<const std::int64_t> axes, bool keepdims);

/// Repeats y, which was reduced over `axes` with or without keepdims, to the shape it came from.
Var spread(Var y, std::span<const std::int64_t> axes, const Shape& shape);

}  // namespace backdrop
