#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/elementwise.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr auto low = attr::real("low").or_else(-1);
constexpr auto high = attr::real("high").or_else(1);
constexpr auto lambda = attr::real("lambda").between(0, std::numeric_limits<double>::max()).or_else(0.5);

Type infer_hardtanh(const Call& c) {
  if (!(c[low] <= c[high])) {
    throw ValueError("hardtanh: low = " + std::to_string(c[low]) +
                     " must not exceed high = " + std::to_string(c[high]));
  }
  return infer::like_first(c);
}

}  // namespace

// y = min(max(x, low), high)
// As clip, but flat at the bounds.
constinit const Op hardtanh_op{
    .name = "hardtanh",
    .inputs = {"x"},
    .attrs = {low, high},
    .formula = "y = min(max(x, low), high)",
    .jacobian = "diag(low < x < high)",
    .singular = "x = low, x = high: 0",
    .structure = Structure::diagonal,
    .infer = infer_hardtanh,
    .derivative = {[](const Call& c) { return logical_and(greater(c[0], c[low]), less(c[0], c[high])); }},
    .body = [](const Call& c) { return clip(c[0], c[low], c[high]); },
};

// y = min(max(x, 0), 6)
constinit const Op relu6_op{
    .name = "relu6",
    .inputs = {"x"},
    .formula = "y = min(max(x, 0), 6)",
    .jacobian = "diag(0 < x < 6)",
    .singular = "x = 0, x = 6: 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .body = [](const Call& c) { return hardtanh(c[0], 0, 6); },
};

// y = relu6(x + 3) / 6
constinit const Op hardsigmoid_op{
    .name = "hardsigmoid",
    .inputs = {"x"},
    .formula = "y = relu6(x + 3) / 6",
    .jacobian = "diag(1/6 where -3 < x < 3, else 0)",
    .singular = "x = -3, x = 3: 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .body = [](const Call& c) { return scale(relu6(c[0] + 3), 1.0 / 6); },
};

// y = x relu6(x + 3) / 6
// 0 in place of -Inf, which has become 0 times Inf.
constinit const Op hardswish_op{
    .name = "hardswish",
    .inputs = {"x"},
    .formula = "y = x relu6(x + 3) / 6",
    .jacobian = "diag(0 if x < -3, 1 if x > 3, else x/3 + 1/2)",
    .singular = "x = -3: 0; x = 3: 1",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .body = [](const Call& c) { return mul(mul(c[0], not_equal(c[0], -kInfinity)), hardsigmoid(c[0])); },
};

// y = x - min(max(x, -lambda), lambda)
constinit const Op softshrink_op{
    .name = "softshrink",
    .inputs = {"x"},
    .attrs = {lambda},
    .formula = "y = x - lambda if x > lambda, x + lambda if x < -lambda, else 0",
    .jacobian = "diag(|x| > lambda)",
    .singular = "|x| = lambda: 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .body = [](const Call& c) { return c[0] - clip(c[0], -c[lambda], c[lambda]); },
};

// y = x where |x| > lambda; NaN is not within either
constinit const Op hardshrink_op{
    .name = "hardshrink",
    .inputs = {"x"},
    .attrs = {lambda},
    .formula = "y = x if |x| > lambda, else 0",
    .jacobian = "diag(|x| > lambda)",
    .singular = "|x| = lambda: 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .body = [](const Call& c) { return mul(c[0], logical_not(less_equal(abs(c[0]), c[lambda]))); },
};

// y = x / (1 + |x|)
constinit const Op softsign_op{
    .name = "softsign",
    .inputs = {"x"},
    .formula = "y = x / (1 + |x|)",
    .jacobian = "diag(1/(1+|x|)^2)",
    .singular = "x = 0: the second derivative is 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block =
        [](const Block& b) {
          kernels::map(b, [](auto x) {
            using T = decltype(x);
            return std::isinf(x) ? std::copysign(T{1}, x) : x / (1 + std::abs(x));
          });
        },
    .derivative = {[](const Call& c) { return square(reciprocal(1 + abs(c[0]))); }},
};

// y = x - tanh x
// The derivative of the body would lose its digits near 0.
constinit const Op tanhshrink_op{
    .name = "tanhshrink",
    .inputs = {"x"},
    .formula = "y = x - tanh x",
    .jacobian = "diag(tanh(x)^2)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .derivative = {[](const Call& c) { return square(tanh(c[0])); }},
    .body = [](const Call& c) { return c[0] - tanh(c[0]); },
    .tolerance = 16,
};

Var hardtanh(Var x, double from, double to, Where where) {
  return x.tape().record(hardtanh_op, {x}, {from, to}, where);
}
Var relu6(Var x, Where where) { return x.tape().record(relu6_op, {x}, {}, where); }
Var hardsigmoid(Var x, Where where) { return x.tape().record(hardsigmoid_op, {x}, {}, where); }
Var hardswish(Var x, Where where) { return x.tape().record(hardswish_op, {x}, {}, where); }
Var softshrink(Var x, double width, Where where) {
  return x.tape().record(softshrink_op, {x}, {width}, where);
}
Var hardshrink(Var x, double width, Where where) {
  return x.tape().record(hardshrink_op, {x}, {width}, where);
}
Var softsign(Var x, Where where) { return x.tape().record(softsign_op, {x}, {}, where); }
Var tanhshrink(Var x, Where where) { return x.tape().record(tanhshrink_op, {x}, {}, where); }

}  // namespace backdrop
