#include <backdrop/ops/arithmetic.hpp>

#include "infer.hpp"
#include "kernels/elementwise.hpp"
#include "operands.hpp"

namespace backdrop {

// y = a + b
constinit const Op add_op{
    .name = "add",
    .inputs = {"a", "b"},
    .formula = "y = a + b",
    .jacobian = "[I, I]",
    .structure = Structure::identity,
    .infer = infer::same,
    .block = [](const Block& b) { kernels::zip(b, [](auto x, auto y) { return x + y; }); },
    .vjp = {[](const Call&, Var g) { return g; }, [](const Call&, Var g) { return g; }},
    .jvp = {[](const Call&, Var t) { return t; }, [](const Call&, Var t) { return t; }},
};

Var add(Operand a, Operand b, Where where) { return record_binary(add_op, a, b, where); }

}  // namespace backdrop
