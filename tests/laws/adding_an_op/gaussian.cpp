#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <cmath>

#include "kernels/elementwise.hpp"
#include "parts/infer.hpp"

namespace backdrop {

// y = e^(-x^2)
constinit const Op gaussian_op{
    .name = "gaussian",
    .inputs = {"x"},
    .formula = "y = e^(-x^2)",
    .jacobian = "diag(-2 x y)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::map(b, [](auto x) { return std::exp(-x * x); }); },
    .derivative = {[](const Call& c) { return -2 * c[0] * c.y; }},
};

Var gaussian(Var x, Where where) { return x.tape().record(gaussian_op, {x}, {}, where); }

}  // namespace backdrop
