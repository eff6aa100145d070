#pragma once

#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <string>
#include <utility>

/// Type rules that several ops share. Each throws ShapeError or DTypeError naming the op.
namespace backdrop::infer {

/// The type of input 0, which must be f32 or f64.
Type like_first(const Call& c);
/// The common type of all inputs, which must be f32 or f64.
Type same(const Call& c);
/// The type of input 0 (f32 or f64); input 1 is a mask of the same shape.
Type masked(const Call& c);

/// Throws DTypeError unless input `k` is f32 or f64.
void require_float(const Call& c, std::size_t k);
/// Throws DTypeError unless input `k` has this dtype.
void require_dtype(const Call& c, std::size_t k, DType dtype, const char* remedy = "");
/// Throws DTypeError or ShapeError unless inputs a and b have one dtype and one shape.
void require_same_type(const Call& c, std::size_t a, std::size_t b);
/// Throws ShapeError unless inputs a and b have one shape.
void require_same_shape(const Call& c, std::size_t a, std::size_t b);

}  // namespace backdrop::infer

namespace backdrop {

/// Both operands brought to their common shape by recording broadcast_to; throws ShapeError naming `op`.
std::pair<Var, Var> broadcast_together(const char* op, Var a, Var b, Where where);

}  // namespace backdrop
