#pragma once

#include <backdrop/core/op.hpp>

/// Order along one axis of f32 or f64. Equal elements stay in the order they have (that of -0 and 0, too);
/// NaN counts as greater than all others. Values are gathered by position, so that a derivative goes where
/// the element came from, ties as they were broken. All throw ShapeError for an axis that is not there.
namespace backdrop {

extern const Op argsort_op;

/// The positions (i64) along `axis` that put x in order. Not differentiable.
Var argsort(Var x, std::int64_t axis = -1, bool descending = false, Where where = Where::here());

struct Sorted {
  Var values;
  Var indices;  ///< i64
};

/// x in order along `axis`: gather(x, argsort(x)).
Sorted sort(Var x, std::int64_t axis = -1, bool descending = false, Where where = Where::here());

/// The k greatest elements along `axis` in descending order, or the k least in ascending order. Throws
/// ShapeError unless 0 <= k <= the extent.
Sorted topk(Var x, std::int64_t k, std::int64_t axis = -1, bool largest = true, Where where = Where::here());

}  // namespace backdrop
