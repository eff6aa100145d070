#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <numbers>

#include "kernels/math.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

// y = e^x
constinit const Op exp_op{
    .name = "exp",
    .inputs = {"x"},
    .formula = "y = e^x",
    .jacobian = "diag(y)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.exp; }); },
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
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.expm1; }); },
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
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.log; }); },
    .derivative = {[](const Call& c) { return reciprocal(c[0]); }},
};

// y = log x to base 2
constinit const Op log2_op{
    .name = "log2",
    .inputs = {"x"},
    .formula = "y = ln x / ln 2",
    .jacobian = "diag(1 / (x ln 2))",
    .singular = "x = 0: Inf; NaN for x < 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.log2; }); },
    .derivative = {[](const Call& c) { return scale(reciprocal(c[0]), std::numbers::log2e); }},
};

// y = log x to base 10
constinit const Op log10_op{
    .name = "log10",
    .inputs = {"x"},
    .formula = "y = ln x / ln 10",
    .jacobian = "diag(1 / (x ln 10))",
    .singular = "x = 0: Inf; NaN for x < 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.log10; }); },
    .derivative = {[](const Call& c) { return scale(reciprocal(c[0]), std::numbers::log10e); }},
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
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.log1p; }); },
    .derivative = {[](const Call& c) { return reciprocal(c[0] + 1); }},
};

// y = ln(e^a + e^b) = max(a, b) + ln(1 + e^-|a-b|)
constinit const Op logaddexp_op{
    .name = "logaddexp",
    .inputs = {"a", "b"},
    .formula = "y = ln(e^a + e^b)",
    .jacobian = "[diag(sigmoid(a - b)), diag(sigmoid(b - a))]",
    .singular = "NaN where a and b are the same infinity",
    .structure = Structure::diagonal,
    .infer = infer::same,
    .block = [](const Block& b) { kernels::math_zip(b, [](const auto& k) { return k.logaddexp; }); },
    .derivative = {[](const Call& c) { return sigmoid(c[0] - c[1]); },
                   [](const Call& c) { return sigmoid(c[1] - c[0]); }},
};

Var exp(Var x, Where where) { return x.tape().record(exp_op, {x}, {}, where); }
Var expm1(Var x, Where where) { return x.tape().record(expm1_op, {x}, {}, where); }
Var log(Var x, Where where) { return x.tape().record(log_op, {x}, {}, where); }
Var log2(Var x, Where where) { return x.tape().record(log2_op, {x}, {}, where); }
Var log10(Var x, Where where) { return x.tape().record(log10_op, {x}, {}, where); }
Var log1p(Var x, Where where) { return x.tape().record(log1p_op, {x}, {}, where); }
Var logaddexp(const Operand& a, const Operand& b, Where where) {
  return record_binary(logaddexp_op, a, b, where);
}

}  // namespace backdrop
