#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <numbers>

#include "parts/infer.hpp"

namespace backdrop {

// y = ln cosh x
constinit const Op log_cosh_op{
    .name = "log_cosh",
    .inputs = {"x"},
    .formula = "y = ln cosh x",
    .jacobian = "diag(tanh x)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .body = [](const Call& c) { return c[0] + softplus(-2 * c[0]) - std::numbers::ln2; },
};

Var log_cosh(Var x, Where where) { return x.tape().record(log_cosh_op, {x}, {}, where); }

}  // namespace backdrop
