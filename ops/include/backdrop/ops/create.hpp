#pragma once

#include <backdrop/core/op.hpp>

namespace backdrop {

extern const Op full_op;

/// y[i] = value, for a shape and f32 or f64. Nothing to differentiate.
Var full(Tape& tape, const Shape& shape, double value, DType dtype = DType::f32, Where where = Where::here());
/// full with the shape and dtype of x; throws DTypeError unless x is f32 or f64.
Var full_like(Var x, double value, Where where = Where::here());

}  // namespace backdrop
