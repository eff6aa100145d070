#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <cmath>

#include "infer.hpp"
#include "kernels/elementwise.hpp"

namespace backdrop {

// y = x / (1 + |x|)
constinit const Op softsign_op{
    .name = "softsign",
    .inputs = {"x"},
    .formula = "y = x / (1 + |x|)",
    .jacobian = "diag(1/(1+|x|)^2)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::map(b, [](auto x) { return x / (1 + std::abs(x)); }); },
    .derivative = {[](const Call& c) { return square(reciprocal(1 + abs(c[0]))); }},
};

Var softsign(Var x, Where where) { return x.tape().record(softsign_op, {x}, {}, where); }

}  // namespace backdrop
