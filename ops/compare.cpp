#include <backdrop/ops/compare.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

namespace {

Type infer_comparison(const Call& c) {
  if (c.dtype(0) == DType::mask) {
    throw DTypeError(std::string(c.name()) + ": masks are not compared; use logical_and, _or, _not");
  }
  infer::require_same_type(c, 0, 1);
  return {DType::mask, c.type(0).shape};
}

}  // namespace

// y[i] = 1 where the relation holds
constinit const Op greater_op{
    .name = "greater",
    .inputs = {"a", "b"},
    .formula = "y = a > b",
    .jacobian = "none: y is a mask",
    .infer = infer_comparison,
    .block =
        [](const Block& b) {
          kernels::vector_compare(
              b, [](const auto& k) { return k.greater; }, [](auto x, auto y) { return x > y; });
        },
};
constinit const Op greater_equal_op{
    .name = "greater_equal",
    .inputs = {"a", "b"},
    .formula = "y = a >= b",
    .jacobian = "none: y is a mask",
    .infer = infer_comparison,
    .block =
        [](const Block& b) {
          kernels::vector_compare(
              b, [](const auto& k) { return k.greater_equal; }, [](auto x, auto y) { return x >= y; });
        },
};
constinit const Op less_op{
    .name = "less",
    .inputs = {"a", "b"},
    .formula = "y = a < b",
    .jacobian = "none: y is a mask",
    .infer = infer_comparison,
    .block =
        [](const Block& b) {
          kernels::vector_compare(
              b, [](const auto& k) { return k.less; }, [](auto x, auto y) { return x < y; });
        },
};
constinit const Op less_equal_op{
    .name = "less_equal",
    .inputs = {"a", "b"},
    .formula = "y = a <= b",
    .jacobian = "none: y is a mask",
    .infer = infer_comparison,
    .block =
        [](const Block& b) {
          kernels::vector_compare(
              b, [](const auto& k) { return k.less_equal; }, [](auto x, auto y) { return x <= y; });
        },
};
constinit const Op equal_op{
    .name = "equal",
    .inputs = {"a", "b"},
    .formula = "y = a = b",
    .jacobian = "none: y is a mask",
    .infer = infer_comparison,
    .block =
        [](const Block& b) {
          kernels::vector_compare(
              b, [](const auto& k) { return k.equal; }, [](auto x, auto y) { return x == y; });
        },
};
constinit const Op not_equal_op{
    .name = "not_equal",
    .inputs = {"a", "b"},
    .formula = "y = a != b",
    .jacobian = "none: y is a mask",
    .infer = infer_comparison,
    .block =
        [](const Block& b) {
          kernels::vector_compare(
              b, [](const auto& k) { return k.not_equal; }, [](auto x, auto y) { return x != y; });
        },
};

Var greater(const Operand& a, const Operand& b, Where at) { return record_binary(greater_op, a, b, at); }
Var greater_equal(const Operand& a, const Operand& b, Where at) {
  return record_binary(greater_equal_op, a, b, at);
}
Var less(const Operand& a, const Operand& b, Where at) { return record_binary(less_op, a, b, at); }
Var less_equal(const Operand& a, const Operand& b, Where at) {
  return record_binary(less_equal_op, a, b, at);
}
Var equal(const Operand& a, const Operand& b, Where at) { return record_binary(equal_op, a, b, at); }
Var not_equal(const Operand& a, const Operand& b, Where at) { return record_binary(not_equal_op, a, b, at); }

}  // namespace backdrop
