#include <backdrop/ops/arithmetic.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr auto factor = attr::real("factor");

void multiply(const Block& b) {
  kernels::vector_map(b, b[factor], [](const auto& k) { return k.scale; });
}

}  // namespace

// y = x * factor
constinit const Op scale_op{
    .name = "scale",
    .inputs = {"x"},
    .attrs = {factor},
    .formula = "y = x * factor",
    .jacobian = "diag(factor)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = multiply,
    .vjp = {[](const Call& c, Var g) { return scale(g, c[factor]); }},
    .jvp = rule::linear,
};

Var scale(Var x, double f, Where where) { return x.tape().record(scale_op, {x}, {f}, where); }

}  // namespace backdrop
