#pragma once

#include <backdrop/core/op.hpp>

namespace backdrop {

extern const Op broadcast_to_op;
extern const Op sum_to_op;
extern const Op reshape_op;

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

}  // namespace backdrop
