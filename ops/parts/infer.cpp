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

void require_float(const Call& c, std::size_t k) {
  if (is_float(c.dtype(k))) return;
  throw DTypeError(input_text(c, k) + " is " + to_string(c.dtype(k)) + "; use f32 or f64, or cast it");
}

void require_dtype(const Call& c, std::size_t k, DType dtype, const char* remedy) {
  if (c.dtype(k) == dtype) return;
  throw DTypeError(input_text(c, k) + " is " + to_string(c.dtype(k)) + ", but must be " + to_string(dtype) +
                   remedy);
}

void require_same_shape(const Call& c, std::size_t a, std::size_t b) {
  if (c.type(a).shape == c.type(b).shape) return;
  throw ShapeError(std::string(c.name()) + ": shapes differ: " + to_string(c.shape(a)) + " and " +
                   to_string(c.shape(b)));
}

void require_same_type(const Call& c, std::size_t a, std::size_t b) {
  if (c.dtype(a) != c.dtype(b)) {
    throw DTypeError(std::string(c.name()) + ": " + to_string(c.dtype(a)) + " and " + to_string(c.dtype(b)) +
                     " do not mix; cast one of them");
  }
  require_same_shape(c, a, b);
}

Type like_first(const Call& c) {
  require_float(c, 0);
  return c.type(0);
}

Type same(const Call& c) {
  require_float(c, 0);
  for (std::size_t k = 1; k < c.arity(); ++k) require_same_type(c, 0, k);
  return c.type(0);
}

Type masked(const Call& c) {
  require_float(c, 0);
  require_dtype(c, 1, DType::mask, "; cast(x, DType::mask) makes one from numbers");
  require_same_shape(c, 0, 1);
  return c.type(0);
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
