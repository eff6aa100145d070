#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/elementwise.hpp>

#include "kernels/math.hpp"
#include "parts/infer.hpp"

namespace backdrop {

// y = sin x
constinit const Op sin_op{
    .name = "sin",
    .inputs = {"x"},
    .formula = "y = sin x",
    .jacobian = "diag(cos x)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.sin; }); },
    .derivative = {[](const Call& c) { return cos(c[0]); }},
};

// y = cos x
constinit const Op cos_op{
    .name = "cos",
    .inputs = {"x"},
    .formula = "y = cos x",
    .jacobian = "diag(-sin x)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.cos; }); },
    .derivative = {[](const Call& c) { return neg(sin(c[0])); }},
};

// y = sin x / cos x
constinit const Op tan_op{
    .name = "tan",
    .inputs = {"x"},
    .formula = "y = tan x",
    .jacobian = "diag(1 + y^2)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.tan; }); },
    .derivative = {[](const Call& c) { return 1 + square(c.y); }},
};

Var sin(Var x, Where where) { return x.tape().record(sin_op, {x}, {}, where); }
Var cos(Var x, Where where) { return x.tape().record(cos_op, {x}, {}, where); }
Var tan(Var x, Where where) { return x.tape().record(tan_op, {x}, {}, where); }

}  // namespace backdrop
