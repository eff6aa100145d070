#pragma once

#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <cmath>
#include <string>
#include <utility>

/// Type rules that several ops share. Each throws ShapeError or DTypeError naming the op. What is asked of
/// every node is inline, and the texts of refusals are made elsewhere.
namespace backdrop::infer {

[[noreturn]] void throw_not_float(const Call& c, std::size_t k);
[[noreturn]] void throw_not_number(const Call& c, std::size_t k);
[[noreturn]] void throw_not_integer(const Call& c, double number);
[[noreturn]] void throw_dtype(const Call& c, std::size_t k, DType dtype, const char* remedy);
[[noreturn]] void throw_mixed(const Call& c, std::size_t a, std::size_t b);
[[noreturn]] void throw_shapes(const Call& c, std::size_t a, std::size_t b);

/// Throws DTypeError unless input `k` is f32 or f64.
inline void require_float(const Call& c, std::size_t k) {
  if (!is_float(c.dtype(k))) throw_not_float(c, k);
}
/// Throws DTypeError unless input `k` is f32, f64 or i64.
inline void require_number(const Call& c, std::size_t k) {
  if (c.dtype(k) == DType::mask) throw_not_number(c, k);
}
/// Throws ValueError unless a value of this dtype can be that number, rounded if it is f32.
inline void require_value(const Call& c, DType dtype, double number) {
  if (dtype == DType::i64 && !(std::abs(number) < 0x1p63 && number == std::trunc(number))) {
    throw_not_integer(c, number);
  }
}
/// Throws DTypeError unless input `k` has this dtype.
inline void require_dtype(const Call& c, std::size_t k, DType dtype, const char* remedy = "") {
  if (c.dtype(k) != dtype) throw_dtype(c, k, dtype, remedy);
}
/// Throws ShapeError unless inputs a and b have one shape.
inline void require_same_shape(const Call& c, std::size_t a, std::size_t b) {
  if (c.type(a).shape != c.type(b).shape) throw_shapes(c, a, b);
}
/// Throws DTypeError or ShapeError unless inputs a and b have one dtype and one shape.
inline void require_same_type(const Call& c, std::size_t a, std::size_t b) {
  if (c.dtype(a) != c.dtype(b)) throw_mixed(c, a, b);
  require_same_shape(c, a, b);
}

/// The type of input 0, which must be f32 or f64.
inline Type like_first(const Call& c) {
  require_float(c, 0);
  return c.type(0);
}
/// The common type of all inputs, which must be f32 or f64.
inline Type same(const Call& c) {
  require_float(c, 0);
  for (std::size_t k = 1; k < c.arity(); ++k) require_same_type(c, 0, k);
  return c.type(0);
}
/// The common type of two inputs, f32, f64 or i64: of ops that choose one of them.
inline Type same_numbers(const Call& c) {
  require_number(c, 0);
  require_same_type(c, 0, 1);
  return c.type(0);
}
/// The type of input 0 (f32, f64 or i64); input 1 is a mask of the same shape.
inline Type masked_numbers(const Call& c) {
  require_number(c, 0);
  require_dtype(c, 1, DType::mask, "; cast(x, DType::mask) makes one from numbers");
  require_same_shape(c, 0, 1);
  return c.type(0);
}
/// The same for f32 and f64 alone.
inline Type masked(const Call& c) {
  require_float(c, 0);
  return masked_numbers(c);
}

}  // namespace backdrop::infer

namespace backdrop {

/// Both operands brought to their common shape by recording broadcast_to; throws ShapeError naming `op`.
std::pair<Var, Var> broadcast_together(const char* op, Var a, Var b, Where where);

}  // namespace backdrop
