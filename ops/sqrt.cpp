#include <backdrop/ops/arithmetic.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"

namespace backdrop {

// y = x^(1/2)
constinit const Op sqrt_op{
    .name = "sqrt",
    .inputs = {"x"},
    .formula = "y = sqrt(x)",
    .jacobian = "diag(1 / (2 y))",
    .singular = "x = 0: Inf; NaN for x < 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::vector_map(b, [](const auto& k) { return k.sqrt; }); },
    .derivative = {[](const Call& c) { return scale(reciprocal(c.y), 0.5); }},
};

// y = x^(-1/2)
constinit const Op rsqrt_op{
    .name = "rsqrt",
    .inputs = {"x"},
    .formula = "y = 1 / sqrt(x)",
    .jacobian = "diag(-y / (2 x))",
    .singular = "x = 0; NaN for x < 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::vector_map(b, [](const auto& k) { return k.rsqrt; }); },
    .derivative = {[](const Call& c) { return scale(div(c.y, c[0]), -0.5); }},
};

Var sqrt(Var x, Where where) { return x.tape().record(sqrt_op, {x}, {}, where); }
Var rsqrt(Var x, Where where) { return x.tape().record(rsqrt_op, {x}, {}, where); }

}  // namespace backdrop
