#pragma once

#include <backdrop/core/op.hpp>

namespace backdrop {

extern const Op full_op;

/// y[i] = value, for a shape and f32, f64 or i64. Nothing to differentiate. Throws DTypeError for a mask,
/// ValueError when an i64 cannot hold the value.
Var full(Tape& tape, const Shape& shape, double value, DType dtype = DType::f32, Where where = Where::here());
/// full with the shape and dtype of x; throws as full.
Var full_like(Var x, double value, Where where = Where::here());

}  // namespace backdrop
