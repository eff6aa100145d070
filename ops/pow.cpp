#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <cmath>

#include "kernels/elementwise.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

namespace {

constexpr auto exponent = attr::real("exponent");

void power(const Block& b) {
  const double e = b[exponent];
  kernels::map(b, [e](auto x) { return std::pow(x, static_cast<decltype(x)>(e)); });
}

// A constant has derivative 0 also where 0 x^-1 would be 0 * Inf.
Var slope(const Call& c, Var g) {
  const double e = c[exponent];
  return e == 0 ? Var{} : mul(g, scale(pow(c[0], e - 1), e));
}

// b a^(b-1), and 0 where b = 0: a constant has derivative 0 also where 0 a^-1 would be 0 * Inf.
Var by_base(const Call& c, Var g) {
  return mul(mul(g, mul(c[1], pow(c[0], sub(c[1], 1)))), not_equal(c[1], 0.0));
}

// y log a, and 0 where a = 0 and b >= 0: y is constant there. The logarithm is mended before that, so that no
// derivative of it divides by 0.
Var by_exponent(const Call& c, Var g) {
  const Var flat = logical_and(equal(c[0], 0.0), greater_equal(c[1], 0.0));
  return mul(mul(g, mul(c.y, log(masked_fill(c[0], flat, 1)))), logical_not(flat));
}

}  // namespace

// y = x^exponent
constinit const Op pow_op{
    .name = "pow",
    .inputs = {"x"},
    .attrs = {exponent},
    .formula = "y = x^exponent",
    .jacobian = "diag(exponent x^(exponent-1)); 0 if exponent = 0",
    .singular = "x = 0 when exponent < 1; NaN for x < 0 and a fractional exponent",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = power,
    .vjp = {slope},
    .jvp = {slope},
};

// y = a^b
constinit const Op power_op{
    .name = "power",
    .inputs = {"a", "b"},
    .formula = "y = a^b",
    .jacobian = "[diag(b a^(b-1)), diag(y log a)]",
    .singular = "in a: 0 if b = 0; in b: 0 where a = 0 and b >= 0; NaN for a < 0",
    .structure = Structure::diagonal,
    .infer = infer::same,
    .block = [](const Block& b) { kernels::zip(b, [](auto base, auto e) { return std::pow(base, e); }); },
    .vjp = {by_base, by_exponent},
    .jvp = {by_base, by_exponent},
};

Var pow(Var x, double e, Where where) { return x.tape().record(pow_op, {x}, {e}, where); }

Var pow(const Operand& a, const Operand& b, Where where) {
  if (b.is_number() && !a.is_number()) return pow(a.var(), b.number(), where);
  return record_binary(power_op, a, b, where);
}

}  // namespace backdrop
