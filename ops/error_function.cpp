#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <numbers>

#include "kernels/math.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr double kTwoOverSqrtPi = 2 * std::numbers::inv_sqrtpi;

Var bell(Var x) { return exp(neg(square(x))); }

}  // namespace

// y = 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x
constinit const Op erf_op{
    .name = "erf",
    .inputs = {"x"},
    .formula = "y = erf(x)",
    .jacobian = "diag(2/sqrt(pi) e^(-x^2))",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.erf; }); },
    .derivative = {[](const Call& c) { return scale(bell(c[0]), kTwoOverSqrtPi); }},
};

// y = 1 - erf(x)
constinit const Op erfc_op{
    .name = "erfc",
    .inputs = {"x"},
    .formula = "y = 1 - erf(x)",
    .jacobian = "diag(-2/sqrt(pi) e^(-x^2))",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.erfc; }); },
    .derivative = {[](const Call& c) { return scale(bell(c[0]), -kTwoOverSqrtPi); }},
};

Var erf(Var x, Where where) { return x.tape().record(erf_op, {x}, {}, where); }
Var erfc(Var x, Where where) { return x.tape().record(erfc_op, {x}, {}, where); }

}  // namespace backdrop
