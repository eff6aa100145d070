#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <cmath>

#include "kernels/math.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

namespace {

// 1 / sqrt(1 - x^2), in factors that keep their digits near -1 and 1
Var slope_of_asin(const Call& c) { return rsqrt((1 - c[0]) * (1 + c[0])); }

// v times side / (a^2 + b^2), without squares that overflow or vanish
Var over_square(const Call& c, Var v, Var side) {
  const Var length = hypot(c[0], c[1]);
  return mul(v, div(div(side, length), length));
}
Var by_height(const Call& c, Var g) { return over_square(c, g, c[1]); }
Var by_width(const Call& c, Var g) { return neg(over_square(c, g, c[0])); }

// v side / y, and 0 where y = 0. The denominator is mended first, so that no derivative of any order divides
// by 0.
Var over_length(const Call& c, Var v, Var side) {
  return mul(v, div(side, masked_fill(c.y, equal(c.y, 0.0), 1)));
}
Var by_a(const Call& c, Var g) { return over_length(c, g, c[0]); }
Var by_b(const Call& c, Var g) { return over_length(c, g, c[1]); }

}  // namespace

// x = sin y
constinit const Op asin_op{
    .name = "asin",
    .inputs = {"x"},
    .formula = "y = asin x, in [-pi/2, pi/2]",
    .jacobian = "diag(1 / sqrt(1 - x^2))",
    .singular = "|x| = 1: Inf; NaN beyond",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.asin; }); },
    .derivative = {slope_of_asin},
};

// x = cos y
constinit const Op acos_op{
    .name = "acos",
    .inputs = {"x"},
    .formula = "y = acos x, in [0, pi]",
    .jacobian = "diag(-1 / sqrt(1 - x^2))",
    .singular = "|x| = 1: -Inf; NaN beyond",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.acos; }); },
    .derivative = {[](const Call& c) { return neg(slope_of_asin(c)); }},
};

// x = tan y
constinit const Op atan_op{
    .name = "atan",
    .inputs = {"x"},
    .formula = "y = atan x, in [-pi/2, pi/2]",
    .jacobian = "diag(1 / (1 + x^2))",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::math_map(b, [](const auto& k) { return k.atan; }); },
    .derivative = {[](const Call& c) { return reciprocal(1 + square(c[0])); }},
};

// y = the angle of the point (b, a)
constinit const Op atan2_op{
    .name = "atan2",
    .inputs = {"a", "b"},
    .formula = "y = the angle of the point (b, a) from the axis of b, in [-pi, pi]",
    .jacobian = "[diag(b / (a^2 + b^2)), diag(-a / (a^2 + b^2))]",
    .singular = "a = b = 0: NaN",
    .structure = Structure::diagonal,
    .infer = infer::same,
    .block =
        [](const Block& b) {
          kernels::zip(b, [](auto height, auto width) { return std::atan2(height, width); });
        },
    .vjp = {by_height, by_width},
    .jvp = {by_height, by_width},
};

// y = sqrt(a^2 + b^2)
constinit const Op hypot_op{
    .name = "hypot",
    .inputs = {"a", "b"},
    .formula = "y = sqrt(a^2 + b^2), without overflow",
    .jacobian = "[diag(a / y), diag(b / y)]",
    .singular = "a = b = 0: 0, as for norm",
    .structure = Structure::diagonal,
    .infer = infer::same,
    .block = [](const Block& b) { kernels::zip(b, [](auto x, auto y) { return std::hypot(x, y); }); },
    .vjp = {by_a, by_b},
    .jvp = {by_a, by_b},
};

Var asin(Var x, Where where) { return x.tape().record(asin_op, {x}, {}, where); }
Var acos(Var x, Where where) { return x.tape().record(acos_op, {x}, {}, where); }
Var atan(Var x, Where where) { return x.tape().record(atan_op, {x}, {}, where); }
Var atan2(const Operand& a, const Operand& b, Where where) { return record_binary(atan2_op, a, b, where); }
Var hypot(const Operand& a, const Operand& b, Where where) { return record_binary(hypot_op, a, b, where); }

}  // namespace backdrop
