#pragma once

#include <backdrop/core/op.hpp>
#include <span>

namespace backdrop {

/// Throws ShapeError unless `axes` are sorted, unique and within the rank of input 0.
void require_canonical_axes(const Call& c, std::span<const std::int64_t> axes);

/// `from` without `axes` (sorted, unique), or with extent 1 there.
Shape reduced_shape(const Shape& from, std::span<const std::int64_t> axes, bool keepdims);

/// Repeats y, which was reduced over `axes` with or without keepdims, to the shape it came from.
Var spread(Var y, std::span<const std::int64_t> axes, const Shape& shape);

}  // namespace backdrop
