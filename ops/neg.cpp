#include <backdrop/ops/arithmetic.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"

namespace backdrop {

// y = -x
constinit const Op neg_op{
    .name = "neg",
    .inputs = {"x"},
    .formula = "y = -x",
    .jacobian = "-I",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::vector_map(b, [](const auto& k) { return k.neg; }); },
    .vjp = {[](const Call&, Var g) { return neg(g); }},
    .jvp = rule::linear,
};

Var neg(Var x, Where where) { return x.tape().record(neg_op, {x}, {}, where); }

}  // namespace backdrop
