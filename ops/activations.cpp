#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "kernels/arithmetic.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/math.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr auto slope = attr::real("slope").or_else(0.01);
constexpr auto alpha = attr::real("alpha").or_else(1);
constexpr auto positive_alpha =
    attr::real("alpha")
        .between(std::numeric_limits<double>::min(), std::numeric_limits<double>::max())
        .or_else(1);

Var leak(const Call& c, Var g) { return where(greater(c[0], 0), g, scale(g, c[slope])); }

// x where it is not positive and 0 elsewhere: what is not chosen in the end cannot overflow, and at 0 the
// derivatives of all orders are those of the left side.
Var left_side(const Call& c, Var positive) { return mul(c[0], logical_not(positive)); }

Var slope_of_elu(const Call& c) {
  const Var positive = greater(c[0], 0);
  return where(positive, 1, scale(exp(left_side(c, positive)), c[alpha]));
}
Var slope_of_celu(const Call& c) {
  const Var positive = greater(c[0], 0);
  return where(positive, 1, exp(scale(left_side(c, positive), 1 / c[positive_alpha])));
}

// x with 0 in place of -Inf, where a factor that has become 0 would make NaN.
Var bounded_below(Var x) { return mul(x, not_equal(x, -kInfinity)); }

// u = sqrt(2/pi) (x + 0.044715 x^3), doubled
constexpr double kCubic = 0.044715;
constexpr double kOuter = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;

// The fixed point (mean 0, variance 1) of layers with selu: Klambauer et al.
constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
constexpr double kSeluScale = 1.0507009873554804934193349852946;

}  // namespace

// y = max(x, 0)
// y is 0 where the derivative is: the mask "y is not 0" selects the cotangent, and x is no longer needed.
constinit const Op relu_op{
    .name = "relu",
    .inputs = {"x"},
    .formula = "y = max(x, 0)",
    .jacobian = "diag(x > 0)",
    .singular = "x = 0: 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::vector_map(b, [](const auto& k) { return k.relu; }); },
    .derivative = {[](const Call& c) { return cast(c.y, DType::mask); }},
};

// y = x > 0 ? x : slope x
constinit const Op leaky_relu_op{
    .name = "leaky_relu",
    .inputs = {"x"},
    .attrs = {slope},
    .formula = "y = x if x > 0, else slope x",
    .jacobian = "diag(1 if x > 0, else slope)",
    .singular = "x = 0: slope",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block =
        [](const Block& b) {
          const double s = b[slope];
          kernels::map(b, [s](auto x) { return x > 0 ? x : x * static_cast<decltype(x)>(s); });
        },
    .vjp = {leak},
    .jvp = {leak},
    .body = [](const Call& c) { return where(greater(c[0], 0), c[0], scale(c[0], c[slope])); },
    .exact = true,
};

// y = x > 0 ? x : alpha (e^x - 1)
// No composite: the derivative of where(x > 0, x, alpha expm1(x)) is 0 * Inf once e^x overflows.
constinit const Op elu_op{
    .name = "elu",
    .inputs = {"x"},
    .attrs = {alpha},
    .formula = "y = x if x > 0, else alpha (e^x - 1)",
    .jacobian = "diag(1 if x > 0, else alpha e^x)",
    .singular = "x = 0: alpha",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::elu(b, 1, b[alpha]); },
    .derivative = {slope_of_elu},
};

// y = x > 0 ? x : alpha (e^(x/alpha) - 1)
constinit const Op celu_op{
    .name = "celu",
    .inputs = {"x"},
    .attrs = {positive_alpha},
    .formula = "y = x if x > 0, else alpha (e^(x/alpha) - 1)",
    .jacobian = "diag(1 if x > 0, else e^(x/alpha))",
    .singular = "x = 0: 1; the derivatives after that as for x < 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::elu(b, 1 / b[positive_alpha], b[positive_alpha]); },
    .derivative = {slope_of_celu},
};

// y = scale elu(x, alpha)
constinit const Op selu_op{
    .name = "selu",
    .inputs = {"x"},
    .formula = "y = 1.0507009873554805 elu(x, 1.6732632423543773)",
    .jacobian = "diag(1.0507009873554805 times the derivative of elu)",
    .singular = "x = 0: 1.7580993408473766",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .body = [](const Call& c) { return scale(elu(c[0], kSeluAlpha), kSeluScale); },
};

// y = x sigmoid(x)
constinit const Op silu_op{
    .name = "silu",
    .inputs = {"x"},
    .formula = "y = x / (1 + e^-x)",
    .jacobian = "diag(s + y (1 - s)), s = sigmoid(x)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.silu; }); },
    .body = [](const Call& c) { return mul(bounded_below(c[0]), sigmoid(c[0])); },
    .exact = true,
};

// y = x P(X <= x)
// Nothing cancels for x < 0; but as -x/sqrt(2) is rounded, an error of about x^2 ulp is left where y is
// small.
constinit const Op gelu_op{
    .name = "gelu",
    .inputs = {"x"},
    .formula = "y = x erfc(-x/sqrt(2)) / 2",
    .jacobian = "diag(y/x + x e^(-x^2/2) / sqrt(2 pi))",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.gelu; }); },
    .body =
        [](const Call& c) {
          return mul(bounded_below(c[0]), scale(erfc(scale(c[0], -1 / std::numbers::sqrt2)), 0.5));
        },
    .exact = true,
};

// y = x sigmoid(2 u)
constinit const Op gelu_tanh_op{
    .name = "gelu_tanh",
    .inputs = {"x"},
    .formula = "y = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))",
    .jacobian = "diag of the derivative of x sigmoid(2u)",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::gelu_tanh(b, kCubic, kOuter); },
    .body =
        [](const Call& c) {
          const Var cube = mul(c[0], square(c[0]));
          return mul(bounded_below(c[0]), sigmoid(scale(add(c[0], scale(cube, kCubic)), kOuter)));
        },
    .exact = true,
};

// y = x tanh(ln(1 + e^x))
constinit const Op mish_op{
    .name = "mish",
    .inputs = {"x"},
    .formula = "y = x tanh(softplus(x))",
    .jacobian = "diag(t + x (1 - t^2) sigmoid(x)), t = tanh(softplus(x))",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.mish; }); },
    .body = [](const Call& c) { return mul(bounded_below(c[0]), tanh(softplus(c[0]))); },
    .exact = true,
};

Var relu(Var x, Where where) { return x.tape().record(relu_op, {x}, {}, where); }
Var silu(Var x, Where where) { return x.tape().record(silu_op, {x}, {}, where); }
Var gelu(Var x, Where where) { return x.tape().record(gelu_op, {x}, {}, where); }
Var gelu_tanh(Var x, Where where) { return x.tape().record(gelu_tanh_op, {x}, {}, where); }
Var leaky_relu(Var x, double s, Where where) { return x.tape().record(leaky_relu_op, {x}, {s}, where); }
Var celu(Var x, double a, Where where) { return x.tape().record(celu_op, {x}, {a}, where); }
Var selu(Var x, Where where) { return x.tape().record(selu_op, {x}, {}, where); }
Var mish(Var x, Where where) { return x.tape().record(mish_op, {x}, {}, where); }
Var elu(Var x, double a, Where where) { return x.tape().record(elu_op, {x}, {a}, where); }

}  // namespace backdrop
