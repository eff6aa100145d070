#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/elementwise.hpp>

#include "kernels/math.hpp"
#include "parts/infer.hpp"

namespace backdrop {

// y = tanh x
constinit const Op tanh_op{
    .name = "tanh",
    .inputs = {"x"},
    .formula = "y = tanh x",
    .jacobian = "diag(1 - y^2)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.tanh; }); },
    .derivative = {[](const Call& c) { return 1 - square(c.y); }},
};

// y = 1 / (1 + e^-x)
constinit const Op sigmoid_op{
    .name = "sigmoid",
    .inputs = {"x"},
    .formula = "y = 1 / (1 + e^-x)",
    .jacobian = "diag(y (1 - y))",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.sigmoid; }); },
    .derivative = {[](const Call& c) { return c.y * (1 - c.y); }},
};

// y = ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|)
constinit const Op softplus_op{
    .name = "softplus",
    .inputs = {"x"},
    .formula = "y = ln(1 + e^x)",
    .jacobian = "diag(sigmoid(x))",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.softplus; }); },
    .derivative = {[](const Call& c) { return sigmoid(c[0]); }},
};

// y = ln(1 / (1 + e^-x))
constinit const Op log_sigmoid_op{
    .name = "log_sigmoid",
    .inputs = {"x"},
    .formula = "y = ln(1 / (1 + e^-x))",
    .jacobian = "diag(sigmoid(-x))",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.log_sigmoid; }); },
    .derivative = {[](const Call& c) { return sigmoid(neg(c[0])); }},
    .body = [](const Call& c) { return neg(softplus(neg(c[0]))); },
    .exact = true,
};

Var tanh(Var x, Where where) { return x.tape().record(tanh_op, {x}, {}, where); }
Var sigmoid(Var x, Where where) { return x.tape().record(sigmoid_op, {x}, {}, where); }
Var softplus(Var x, Where where) { return x.tape().record(softplus_op, {x}, {}, where); }
Var log_sigmoid(Var x, Where where) { return x.tape().record(log_sigmoid_op, {x}, {}, where); }

}  // namespace backdrop
