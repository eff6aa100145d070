#include <backdrop/ops/arithmetic.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

// y = a + b
constinit const Op add_op{
    .name = "add",
    .inputs = {"a", "b"},
    .formula = "y = a + b",
    .jacobian = "[I, I]",
    .structure = Structure::identity,
    .infer = infer::same,
    .block = [](const Block& b) { kernels::vector_zip(b, [](const auto& k) { return k.add; }); },
    .vjp = {[](const Call&, Var g) { return g; }, [](const Call&, Var g) { return g; }},
    .jvp = {[](const Call&, Var t) { return t; }, [](const Call&, Var t) { return t; }},
};

Var add(const Operand& a, const Operand& b, Where where) { return record_binary(add_op, a, b, where); }

}  // namespace backdrop
