#include <backdrop/ops/arithmetic.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

namespace {

Var by_numerator(const Call& c, Var g) { return div(g, c[1]); }
Var by_denominator(const Call& c, Var g) { return neg(div(mul(g, c.y), c[1])); }

}  // namespace

// y = a / b
constinit const Op div_op{
    .name = "div",
    .inputs = {"a", "b"},
    .formula = "y = a / b",
    .jacobian = "[diag(1/b), diag(-y/b)]",
    .singular = "b = 0",
    .structure = Structure::diagonal,
    .infer = infer::same,
    .block = [](const Block& b) { kernels::vector_zip(b, [](const auto& k) { return k.div; }); },
    .vjp = {by_numerator, by_denominator},
    .jvp = {by_numerator, by_denominator},
};

// y = 1 / x
constinit const Op reciprocal_op{
    .name = "reciprocal",
    .inputs = {"x"},
    .formula = "y = 1 / x",
    .jacobian = "diag(-y^2)",
    .singular = "x = 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::vector_map(b, [](const auto& k) { return k.reciprocal; }); },
    .derivative = {[](const Call& c) { return neg(square(c.y)); }},
};

Var div(const Operand& a, const Operand& b, Where where) { return record_binary(div_op, a, b, where); }

Var reciprocal(Var x, Where where) { return x.tape().record(reciprocal_op, {x}, {}, where); }

}  // namespace backdrop
