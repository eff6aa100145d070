#include <backdrop/ops/arithmetic.hpp>
#include <cmath>

#include "infer.hpp"
#include "kernels/elementwise.hpp"

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

Var pow(Var x, double e, Where where) { return x.tape().record(pow_op, {x}, {e}, where); }

}  // namespace backdrop
