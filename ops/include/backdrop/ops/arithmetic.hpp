#pragma once

#include <backdrop/core/op.hpp>

namespace backdrop {

/// What arithmetic takes on either side: a Var or a number, with the line that wrote it.
class Operand {
 public:
  Operand(Var v, Where where = Where::here()) : var_(v), where_(where) {}
  Operand(double number, Where where = Where::here()) : number_(number), where_(where) {}

  bool is_number() const { return !var_; }
  Var var() const { return var_; }
  double number() const { return number_; }
  Where where() const { return where_; }

 private:
  Var var_;
  double number_ = 0;
  Where where_;
};

extern const Op add_op;
extern const Op mul_op;
extern const Op scale_op;
extern const Op square_op;

/// y = a + b, broadcast by NumPy's rule. f32 or f64, the same on both sides; otherwise DTypeError.
Var add(Operand a, Operand b, Where where = Where::here());

/// y = a * b, broadcast by NumPy's rule. Where b is a mask, it *selects*: y = a where kept and +0 where
/// dropped, also where a is NaN or infinite (PyTorch and ONNX multiply instead, giving NaN and -0 there).
Var mul(Operand a, Operand b, Where where = Where::here());

/// y = x * factor; the factor is computed in f64 and rounded to the dtype of x.
Var scale(Var x, double factor, Where where = Where::here());

/// y = x^2.
Var square(Var x, Where where = Where::here());

inline Var operator+(Operand a, Operand b) { return add(a, b, a.where()); }
inline Var operator*(Operand a, Operand b) { return mul(a, b, a.where()); }

}  // namespace backdrop
