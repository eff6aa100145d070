#include <backdrop/ops/arithmetic.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"

namespace backdrop {

// y = x^2
constinit const Op square_op{
    .name = "square",
    .inputs = {"x"},
    .formula = "y = x^2",
    .jacobian = "diag(2 x)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::vector_map(b, [](const auto& k) { return k.square; }); },
    .derivative = {[](const Call& c) { return scale(c[0], 2); }},
};

Var square(Var x, Where where) { return x.tape().record(square_op, {x}, {}, where); }

}  // namespace backdrop
