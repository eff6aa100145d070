#pragma once

#include <backdrop/core/op.hpp>

namespace backdrop {

extern const Op matmul_op;

struct MatmulOptions {
  bool transpose_a = false;  ///< exchange the last two axes of a
  bool transpose_b = false;  ///< exchange the last two axes of b
};

/// y = op(a) op(b), the matrix product over the last two axes: [..., m, k] x [..., k, n] -> [..., m, n], with
/// op the identity or the transpose. Leading axes broadcast; a vector is a row on the left and a column on
/// the right, and its axis is missing from y, as in NumPy. f32 or f64, the same on both sides; otherwise
/// DTypeError. Throws ShapeError when the inner extents differ, or for a scalar or a transposed vector.
Var matmul(Var a, Var b, MatmulOptions options = {}, Where where = Where::here());

}  // namespace backdrop
