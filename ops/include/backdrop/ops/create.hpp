#pragma once

#include <backdrop/core/op.hpp>

namespace backdrop {

extern const Op full_op;
extern const Op arange_op;

/// y[i] = value, for a shape and f32, f64 or i64. Nothing to differentiate. Throws DTypeError for a mask,
/// ValueError when an i64 cannot hold the value.
Var full(Tape& tape, const Shape& shape, double value, DType dtype = DType::f32, Where where = Where::here());
/// full with the shape and dtype of x; throws as full.
Var full_like(Var x, double value, Where where = Where::here());

/// y[i] = start + i step for i in [0, count), each computed anew: no error adds up. f32 (computed in f64 and
/// rounded), f64 or i64. Nothing to differentiate. Throws DTypeError for a mask, ShapeError for a negative
/// count, ValueError when start, step or the last element are no i64 where that is asked for.
Var arange(Tape& tape, std::int64_t count, double start = 0, double step = 1, DType dtype = DType::i64,
           Where where = Where::here());

}  // namespace backdrop
