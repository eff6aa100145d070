#include <backdrop/ops/arithmetic.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

// y = a - b
constinit const Op sub_op{
    .name = "sub",
    .inputs = {"a", "b"},
    .formula = "y = a - b",
    .jacobian = "[I, -I]",
    .structure = Structure::diagonal,
    .infer = infer::same,
    .block = [](const Block& b) { kernels::vector_zip(b, [](const auto& k) { return k.sub; }); },
    .vjp = {[](const Call&, Var g) { return g; }, [](const Call&, Var g) { return neg(g); }},
    .jvp = {[](const Call&, Var t) { return t; }, [](const Call&, Var t) { return neg(t); }},
};

Var sub(const Operand& a, const Operand& b, Where where) { return record_binary(sub_op, a, b, where); }

}  // namespace backdrop
