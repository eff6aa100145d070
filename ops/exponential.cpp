#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <cmath>

#include "infer.hpp"
#include "kernels/elementwise.hpp"

namespace backdrop {

// y = e^x
constinit const Op exp_op{
    .name = "exp",
    .inputs = {"x"},
    .formula = "y = e^x",
    .jacobian = "diag(y)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::map(b, [](auto x) { return std::exp(x); }); },
    .derivative = {[](const Call& c) { return c.y; }},
};

// y = e^x - 1
constinit const Op expm1_op{
    .name = "expm1",
    .inputs = {"x"},
    .formula = "y = e^x - 1",
    .jacobian = "diag(e^x)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::map(b, [](auto x) { return std::expm1(x); }); },
    .derivative = {[](const Call& c) { return exp(c[0]); }},
};

// y = ln x
constinit const Op log_op{
    .name = "log",
    .inputs = {"x"},
    .formula = "y = ln x",
    .jacobian = "diag(1/x)",
    .singular = "x = 0; NaN for x < 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::map(b, [](auto x) { return std::log(x); }); },
    .derivative = {[](const Call& c) { return reciprocal(c[0]); }},
};

// y = ln(1 + x)
constinit const Op log1p_op{
    .name = "log1p",
    .inputs = {"x"},
    .formula = "y = ln(1 + x)",
    .jacobian = "diag(1/(1+x))",
    .singular = "x = -1; NaN for x < -1",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::map(b, [](auto x) { return std::log1p(x); }); },
    .derivative = {[](const Call& c) { return reciprocal(c[0] + 1); }},
};

Var exp(Var x, Where where) { return x.tape().record(exp_op, {x}, {}, where); }
Var expm1(Var x, Where where) { return x.tape().record(expm1_op, {x}, {}, where); }
Var log(Var x, Where where) { return x.tape().record(log_op, {x}, {}, where); }
Var log1p(Var x, Where where) { return x.tape().record(log1p_op, {x}, {}, where); }

}  // namespace backdrop
