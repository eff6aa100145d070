#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/ops/arithmetic.hpp>

/// Masks: how they are made from numbers, combined, and used to choose.
namespace backdrop {

extern const Op greater_op;
extern const Op greater_equal_op;
extern const Op less_op;
extern const Op less_equal_op;
extern const Op equal_op;
extern const Op not_equal_op;
extern const Op logical_and_op;
extern const Op logical_or_op;
extern const Op logical_xor_op;
extern const Op logical_not_op;
extern const Op where_op;
extern const Op masked_fill_op;
extern const Op cast_op;
extern const Op stop_gradient_op;

/// Comparisons of two tensors of one dtype (f32, f64 or i64; otherwise DTypeError), broadcast by NumPy's
/// rule, to a mask: 1 = true. Any comparison with NaN is false, but not_equal, which is true.
Var greater(const Operand& a, const Operand& b, Where at = Where::here());
Var greater_equal(const Operand& a, const Operand& b, Where at = Where::here());
Var less(const Operand& a, const Operand& b, Where at = Where::here());
Var less_equal(const Operand& a, const Operand& b, Where at = Where::here());
Var equal(const Operand& a, const Operand& b, Where at = Where::here());
Var not_equal(const Operand& a, const Operand& b, Where at = Where::here());

/// Bit by bit on masks, broadcast by NumPy's rule. Anything but a mask throws DTypeError.
Var logical_and(Var a, Var b, Where at = Where::here());
Var logical_or(Var a, Var b, Where at = Where::here());
Var logical_xor(Var a, Var b, Where at = Where::here());
Var logical_not(Var a, Where at = Where::here());

/// y = a where the mask is 1, b where it is 0; what is not chosen counts neither in y nor in gradients, even
/// NaN. All three broadcast; a and b are f32, f64 or i64, the same on both sides; otherwise DTypeError.
Var where(Var mask, const Operand& a, const Operand& b, Where at = Where::here());

/// y = `value` where the mask is 1, x where it is 0: where(mask, value, x). The mask broadcasts to x. (A mask
/// of what to *keep*, as dropout has it, needs logical_not.) f32, f64 or i64.
Var masked_fill(Var x, Var mask, double value, Where at = Where::here());

/// x in another dtype. To a mask, nonzero (NaN too) becomes 1; to i64, numbers are cut towards zero, what
/// lies beyond its range becomes its least or largest number, and NaN 0. Only casts from f32 or f64 to f32
/// or f64 carry derivatives: the cotangent is cast back.
Var cast(Var x, DType dtype, Where at = Where::here());

/// y = x, a constant to derivatives: no cotangent or tangent passes. Any dtype.
Var stop_gradient(Var x, Where at = Where::here());

}  // namespace backdrop
