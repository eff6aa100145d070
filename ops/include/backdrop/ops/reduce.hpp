#pragma once

#include <backdrop/core/op.hpp>
#include <initializer_list>
#include <span>

namespace backdrop {

extern const Op sum_op;

/// The sum over `axes` (negative ones count from the last; none = all). f32 or f64; the sum over nothing is
/// 0. Reduced axes are dropped, or kept with extent 1. Throws ShapeError for an axis out of range or named
/// twice.
Var sum(Var x, std::span<const std::int64_t> axes, bool keepdims = false, Where where = Where::here());
inline Var sum(Var x, std::initializer_list<std::int64_t> axes, bool keepdims = false,
               Where where = Where::here()) {
  return sum(x, std::span<const std::int64_t>(axes.begin(), axes.size()), keepdims, where);
}
inline Var sum(Var x, Where where = Where::here()) {
  return sum(x, std::span<const std::int64_t>{}, false, where);
}

}  // namespace backdrop
