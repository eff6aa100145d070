#include "infer.hpp"

#include <backdrop/ops/layout.hpp>

namespace backdrop {

namespace infer {

namespace {

std::string input_text(const Call& c, std::size_t k) {
  const std::size_t last = c.node.op->arity() - 1;
  return std::string(c.name()) + ": input '" + c.node.op->inputs[k < last ? k : last] + "'";
}

}  // namespace

void throw_not_float(const Call& c, std::size_t k) {
  throw DTypeError(input_text(c, k) + " is " + to_string(c.dtype(k)) + "; use f32 or f64, or cast it");
}

void throw_not_number(const Call& c, std::size_t k) {
  throw DTypeError(input_text(c, k) + " is a mask; use f32, f64 or i64, or cast it");
}

void throw_not_integer(const Call& c, double number) {
  throw ValueError(std::string(c.name()) + ": " + std::to_string(number) +
                   " is no i64; cast the other operand, or round");
}

void throw_dtype(const Call& c, std::size_t k, DType dtype, const char* remedy) {
  throw DTypeError(input_text(c, k) + " is " + to_string(c.dtype(k)) + ", but must be " + to_string(dtype) +
                   remedy);
}

void throw_mixed(const Call& c, std::size_t a, std::size_t b) {
  throw DTypeError(std::string(c.name()) + ": " + to_string(c.dtype(a)) + " and " + to_string(c.dtype(b)) +
                   " do not mix; cast one of them");
}

void throw_shapes(const Call& c, std::size_t a, std::size_t b) {
  throw ShapeError(std::string(c.name()) + ": shapes differ: " + to_string(c.shape(a)) + " and " +
                   to_string(c.shape(b)));
}

}  // namespace infer

std::pair<Var, Var> broadcast_together(const char* op, Var a, Var b, Where where) {
  if (a.shape() == b.shape()) return {a, b};
  const Shape common = broadcast(op, a.shape(), b.shape());
  if (a.shape() != common) a = broadcast_to(a, common, where);
  if (b.shape() != common) b = broadcast_to(b, common, where);
  return {a, b};
}

}  // namespace backdrop
