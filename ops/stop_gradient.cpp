#include <backdrop/ops/compare.hpp>

#include "kernels/elementwise.hpp"

namespace backdrop {

// y = x, as far as values go
constinit const Op stop_gradient_op{
    .name = "stop_gradient",
    .inputs = {"x"},
    .formula = "y = x",
    .jacobian = "0, by definition",
    .structure = Structure::diagonal,
    .view = true,
    .infer = [](const Call& c) { return c.type(0); },
    .block = kernels::copy,
    .vjp = {zero},
    .jvp = {zero},
};

Var stop_gradient(Var x, Where at) { return x.tape().record(stop_gradient_op, {x}, {}, at); }

}  // namespace backdrop
