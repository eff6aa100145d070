#include <algorithm>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

namespace {

// Of the cotangent, what reaches the side that has won: all of it, and half at a tie.
Var share(const Call& c, Var g, Var lost) {
  return mul(where(equal(c[0], c[1]), scale(g, 0.5), g), logical_not(lost));
}
Var if_larger_a(const Call& c, Var g) { return share(c, g, less(c[0], c[1])); }
Var if_larger_b(const Call& c, Var g) { return share(c, g, less(c[1], c[0])); }
Var if_smaller_a(const Call& c, Var g) { return share(c, g, greater(c[0], c[1])); }
Var if_smaller_b(const Call& c, Var g) { return share(c, g, greater(c[1], c[0])); }

}  // namespace

// y = a > b ? a : b, and NaN from either side
constinit const Op maximum_op{
    .name = "maximum",
    .inputs = {"a", "b"},
    .formula = "y = max(a, b)",
    .jacobian = "[diag(a > b), diag(b > a)]",
    .singular = "a = b: half to each",
    .structure = Structure::diagonal,
    .infer = infer::same_numbers,
    .block =
        [](const Block& b) {
          kernels::vector_choose(
              b, [](const auto& k) { return k.maximum; }, [](auto x, auto y) { return std::max(x, y); });
        },
    .vjp = {if_larger_a, if_larger_b},
    .jvp = {if_larger_a, if_larger_b},
};

// y = a < b ? a : b, and NaN from either side
constinit const Op minimum_op{
    .name = "minimum",
    .inputs = {"a", "b"},
    .formula = "y = min(a, b)",
    .jacobian = "[diag(a < b), diag(b < a)]",
    .singular = "a = b: half to each",
    .structure = Structure::diagonal,
    .infer = infer::same_numbers,
    .block =
        [](const Block& b) {
          kernels::vector_choose(
              b, [](const auto& k) { return k.minimum; }, [](auto x, auto y) { return std::min(x, y); });
        },
    .vjp = {if_smaller_a, if_smaller_b},
    .jvp = {if_smaller_a, if_smaller_b},
};

Var maximum(const Operand& a, const Operand& b, Where at) { return record_binary(maximum_op, a, b, at); }
Var minimum(const Operand& a, const Operand& b, Where at) { return record_binary(minimum_op, a, b, at); }

}  // namespace backdrop
