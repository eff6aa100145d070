#pragma once

#include <backdrop/core/op.hpp>

namespace backdrop {

/// What arithmetic takes on either side: a Var or a number, with the line that wrote it.
class Operand {
 public:
  Operand(Var v, Where where = Where::here()) : var_(v), where_(where) {}
  Operand(double number, Where where = Where::here()) : number_(number), is_number_(true), where_(where) {}

  bool is_number() const { return is_number_; }
  const Var& var() const { return var_; }
  double number() const { return number_; }
  Where where() const { return where_; }

 private:
  Var var_;
  double number_ = 0;
  bool is_number_ = false;
  Where where_;
};

extern const Op add_op;
extern const Op mul_op;
extern const Op multiply_add_op;
extern const Op scale_op;
extern const Op square_op;
extern const Op sub_op;
extern const Op div_op;
extern const Op neg_op;
extern const Op pow_op;
extern const Op power_op;
extern const Op maximum_op;
extern const Op minimum_op;
extern const Op abs_op;
extern const Op sign_op;
extern const Op sqrt_op;
extern const Op rsqrt_op;
extern const Op reciprocal_op;

/// y = a + b, broadcast by NumPy's rule. f32 or f64, the same on both sides; otherwise DTypeError.
Var add(const Operand& a, const Operand& b, Where where = Where::here());

/// y = a * b, broadcast by NumPy's rule. Where b is a mask, it *selects*: y = a where kept and +0 where
/// dropped, also where a is NaN or infinite (PyTorch and ONNX multiply instead, giving NaN and -0 there).
Var mul(const Operand& a, const Operand& b, Where where = Where::here());

/// y = a * b + c of one type, f32 or f64, otherwise DTypeError or ShapeError: in one pass over memory, and
/// with the bits of add(mul(a, b), c), for the product is rounded before c is added.
Var multiply_add(Var a, Var b, Var c, Where where = Where::here());

/// y = x * factor; the factor is computed in f64 and rounded to the dtype of x.
Var scale(Var x, double factor, Where where = Where::here());

/// y = x^2.
Var square(Var x, Where where = Where::here());

/// y = a - b, broadcast by NumPy's rule. f32 or f64, the same on both sides; otherwise DTypeError.
Var sub(const Operand& a, const Operand& b, Where where = Where::here());

/// y = a / b, broadcast by NumPy's rule. f32 or f64, the same on both sides; otherwise DTypeError.
Var div(const Operand& a, const Operand& b, Where where = Where::here());

/// y = -x.
Var neg(Var x, Where where = Where::here());

/// y = x^exponent, at special values as C's pow: x^0 = 1 for all x, a negative x with a fractional exponent
/// gives NaN, 0 with a negative one Inf. dy/dx = exponent x^(exponent-1), and 0 everywhere when exponent = 0.
Var pow(Var x, double exponent, Where where = Where::here());

/// y = a^b, broadcast by NumPy's rule; at special values as C's pow. dy/da = b a^(b-1), and 0 where b = 0;
/// dy/db = y log a, and 0 where a = 0 and b >= 0. f32 or f64, the same on both sides; otherwise DTypeError.
Var pow(const Operand& a, const Operand& b, Where where = Where::here());

/// y = the larger of a and b; NaN when either is NaN. Broadcasts. Where a = b, y = b and each side receives
/// half of the cotangent, as in PyTorch. f32, f64 or i64.
Var maximum(const Operand& a, const Operand& b, Where where = Where::here());

/// y = the smaller of a and b; NaN when either is NaN. Broadcasts. Where a = b, y = b and each side receives
/// half of the cotangent, as in PyTorch. f32, f64 or i64.
Var minimum(const Operand& a, const Operand& b, Where where = Where::here());

/// y = |x|; its derivative at 0 is 0.
Var abs(Var x, Where where = Where::here());

/// y = -1, 0 or 1 as x is; NaN and the sign of a zero pass. Its derivative is 0 everywhere.
Var sign(Var x, Where where = Where::here());

/// y = the square root of x; NaN for x < 0. Its derivative at 0 is Inf.
Var sqrt(Var x, Where where = Where::here());

/// y = 1 / sqrt(x).
Var rsqrt(Var x, Where where = Where::here());

/// y = 1 / x.
Var reciprocal(Var x, Where where = Where::here());

/// sub(b, a) and div(b, a): the operands in the other order, as PyTorch names them.
inline Var rsub(const Operand& a, const Operand& b, Where where = Where::here()) { return sub(b, a, where); }
inline Var rdiv(const Operand& a, const Operand& b, Where where = Where::here()) { return div(b, a, where); }

inline Var operator+(const Operand& a, const Operand& b) { return add(a, b, a.where()); }
inline Var operator-(const Operand& a, const Operand& b) { return sub(a, b, a.where()); }
inline Var operator*(const Operand& a, const Operand& b) { return mul(a, b, a.where()); }
inline Var operator/(const Operand& a, const Operand& b) { return div(a, b, a.where()); }
inline Var operator-(const Operand& a) { return neg(a.var(), a.where()); }

}  // namespace backdrop
