#pragma once

#include <backdrop/core/op.hpp>
#include <string_view>
#include <vector>

/// Products of matrices and of what is made of them.
namespace backdrop {

extern const Op matmul_op;
extern const Op add_product_op;

struct MatmulOptions {
  bool transpose_a = false;  ///< exchange the last two axes of a
  bool transpose_b = false;  ///< exchange the last two axes of b
};

/// y = op(a) op(b), the matrix product over the last two axes: [..., m, k] x [..., k, n] -> [..., m, n], with
/// op the identity or the transpose. Leading axes broadcast; a vector is a row on the left and a column on
/// the right, and its axis is missing from y, as in NumPy. f32 or f64, the same on both sides; otherwise
/// DTypeError. Throws ShapeError when the inner extents differ, or for a scalar or a transposed vector.
Var matmul(Var a, Var b, MatmulOptions options = {}, Where where = Where::here());

/// The sum of a[i] b[i], of two vectors of one length. Throws ShapeError, DTypeError as matmul.
Var dot(Var a, Var b, Where where = Where::here());

/// y[i, j] = a[i] b[j], of two vectors. Throws ShapeError, DTypeError as matmul.
Var outer(Var a, Var b, Where where = Where::here());

/// y = x weight' + bias, a fully connected layer: x [..., in], weight [out, in], bias [out] or a null Var for
/// none. Throws ShapeError, DTypeError as matmul.
Var linear(Var x, Var weight, Var bias = {}, Where where = Where::here());

/// y = beta c + alpha a b, for matrices a and b and what broadcasts to their product. With beta = 0, c does
/// not count, even NaN. Throws ShapeError, DTypeError.
Var addmm(Var c, Var a, Var b, double beta = 1, double alpha = 1, Where where = Where::here());

/// y = c + s op(a) op(b) for matrices of the last two axes, with c of the shape of the product and s a number
/// of rank 0: what the BLAS calls gemm. compile makes it of `w - rate * product`, and a run then adds to w in
/// place. The product is not rounded by itself. f32 or f64, the same for all; otherwise DTypeError;
/// ShapeError.
Var add_product(Var c, Var s, Var a, Var b, MatmulOptions options = {}, Where where = Where::here());

/// y[..., o] = bias[o] + sum over i, j of x1[..., i] weight[o, i, j] x2[..., j]; bias may be a null Var.
/// Throws ShapeError, DTypeError.
Var bilinear(Var x1, Var x2, Var weight, Var bias = {}, Where where = Where::here());

/// Einstein's summation, einsum("bij,bjk->bik", {a, b}): a letter for each axis of each operand; what is not
/// in the output is summed over. Repeated in one operand, a letter takes the diagonal; "..." stands for
/// further axes, which broadcast, as extents of 1 do; without "->" the output is "..." and the letters that
/// occur once, sorted. Operands are multiplied from left to right. Throws ValueError for an equation that
/// does not parse or fit the operands, ShapeError for extents that differ.
Var einsum(std::string_view equation, const std::vector<Var>& operands, Where where = Where::here());

}  // namespace backdrop
