#include <backdrop/ops/arithmetic.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

namespace {

Type infer_mul(const Call& c) {
  return c.dtype(1) == DType::mask ? infer::masked_numbers(c) : infer::same(c);
}

void multiply(const Block& b) {
  if (b.call.dtype(1) == DType::mask) {
    kernels::keep(b);
  } else {
    kernels::vector_zip(b, [](const auto& k) { return k.mul; });
  }
}

}  // namespace

// y = a * b; a mask in place of b selects
constinit const Op mul_op{
    .name = "mul",
    .inputs = {"a", "b"},
    .formula = "y = a * b; for a mask b: y = a where kept, +0 where dropped",
    .jacobian = "[diag(b), diag(a)]",
    .structure = Structure::diagonal,
    .infer = infer_mul,
    .block = multiply,
    .vjp = {[](const Call& c, Var g) { return mul(g, c[1]); },
            [](const Call& c, Var g) { return mul(g, c[0]); }},
    .jvp = rule::multilinear,
};

Var mul(const Operand& a, const Operand& b, Where where) {
  if (a.is_number() && !b.is_number()) return scale(b.var(), a.number(), where);
  if (b.is_number() && !a.is_number()) return scale(a.var(), b.number(), where);
  const bool mask_first = !a.is_number() && a.var().dtype() == DType::mask && b.var().dtype() != DType::mask;
  return mask_first ? record_binary(mul_op, b, a, where) : record_binary(mul_op, a, b, where);
}

}  // namespace backdrop
