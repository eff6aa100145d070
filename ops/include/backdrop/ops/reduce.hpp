#pragma once

#include <backdrop/core/op.hpp>
#include <initializer_list>
#include <span>

namespace backdrop {

extern const Op sum_op;
extern const Op mean_op;

// Reductions take f32 or f64 and go over `axes`: negative ones count from the last, none = all. Reduced axes
// are dropped, or kept with extent 1. They throw ShapeError for an axis out of range or named twice. Sums are
// accumulated in f64, of f64 terms with compensation, in an order that depends on the shape alone.

/// The sum over `axes`; over nothing it is 0.
Var sum(Var x, std::span<const std::int64_t> axes, bool keepdims = false, Where where = Where::here());
inline Var sum(Var x, std::initializer_list<std::int64_t> axes, bool keepdims = false,
               Where where = Where::here()) {
  return sum(x, std::span<const std::int64_t>(axes.begin(), axes.size()), keepdims, where);
}
inline Var sum(Var x, Where where = Where::here()) {
  return sum(x, std::span<const std::int64_t>{}, false, where);
}

/// The sum over `axes` divided by the number of terms; over nothing it is NaN.
Var mean(Var x, std::span<const std::int64_t> axes, bool keepdims = false, Where where = Where::here());
inline Var mean(Var x, std::initializer_list<std::int64_t> axes, bool keepdims = false,
                Where where = Where::here()) {
  return mean(x, std::span<const std::int64_t>(axes.begin(), axes.size()), keepdims, where);
}
inline Var mean(Var x, Where where = Where::here()) {
  return mean(x, std::span<const std::int64_t>{}, false, where);
}

}  // namespace backdrop
