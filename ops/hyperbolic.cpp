#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/elementwise.hpp>

#include "kernels/math.hpp"
#include "parts/infer.hpp"

namespace backdrop {

// y = (e^x - e^-x) / 2
constinit const Op sinh_op{
    .name = "sinh",
    .inputs = {"x"},
    .formula = "y = sinh x",
    .jacobian = "diag(cosh x)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.sinh; }); },
    .derivative = {[](const Call& c) { return cosh(c[0]); }},
};

// y = (e^x + e^-x) / 2
constinit const Op cosh_op{
    .name = "cosh",
    .inputs = {"x"},
    .formula = "y = cosh x",
    .jacobian = "diag(sinh x)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.cosh; }); },
    .derivative = {[](const Call& c) { return sinh(c[0]); }},
};

// y = ln(x + sqrt(x^2 + 1))
constinit const Op asinh_op{
    .name = "asinh",
    .inputs = {"x"},
    .formula = "y = asinh x",
    .jacobian = "diag(1 / sqrt(x^2 + 1))",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.asinh; }); },
    .derivative = {[](const Call& c) { return rsqrt(square(c[0]) + 1); }},
};

// y = ln(x + sqrt(x^2 - 1)); the derivative's factors keep their digits near 1
constinit const Op acosh_op{
    .name = "acosh",
    .inputs = {"x"},
    .formula = "y = acosh x",
    .jacobian = "diag(1 / sqrt(x^2 - 1))",
    .singular = "x = 1: Inf; NaN for x < 1",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.acosh; }); },
    .derivative = {[](const Call& c) { return rsqrt(c[0] - 1) * rsqrt(c[0] + 1); }},
};

// y = ln((1 + x) / (1 - x)) / 2
constinit const Op atanh_op{
    .name = "atanh",
    .inputs = {"x"},
    .formula = "y = atanh x",
    .jacobian = "diag(1 / (1 - x^2))",
    .singular = "|x| = 1: Inf",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.atanh; }); },
    .derivative = {[](const Call& c) { return reciprocal((1 - c[0]) * (1 + c[0])); }},
};

Var sinh(Var x, Where where) { return x.tape().record(sinh_op, {x}, {}, where); }
Var cosh(Var x, Where where) { return x.tape().record(cosh_op, {x}, {}, where); }
Var asinh(Var x, Where where) { return x.tape().record(asinh_op, {x}, {}, where); }
Var acosh(Var x, Where where) { return x.tape().record(acosh_op, {x}, {}, where); }
Var atanh(Var x, Where where) { return x.tape().record(atanh_op, {x}, {}, where); }

}  // namespace backdrop
