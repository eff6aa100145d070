#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/elementwise.hpp>

#include "infer.hpp"

namespace backdrop {

// y = x - tanh x
constinit const Op tanhshrink_op{
    .name = "tanhshrink",
    .inputs = {"x"},
    .formula = "y = x - tanh x",
    .jacobian = "diag(tanh(x)^2)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .body = [](const Call& c) { return c[0] - tanh(c[0]); },
};

Var tanhshrink(Var x, Where where) { return x.tape().record(tanhshrink_op, {x}, {}, where); }

}  // namespace backdrop
