#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/reduce.hpp>

#include "kernels/reduce.hpp"
#include "reduced.hpp"

namespace backdrop {

using reduced::axes, reduced::keepdims;

namespace {

// v / y, and 0 where y = 0. The denominator is mended first, so that no derivative of any order divides by 0.
Var over_norm(const Call& c, Var v) {
  const Var none = equal(c.y, 0.0);
  return masked_fill(div(v, masked_fill(c.y, none, 1)), none, 0);
}

}  // namespace

// y = sqrt(sum of x^2)
constinit const Op norm_op{
    .name = "norm",
    .inputs = {"x"},
    .attrs = {axes, keepdims},
    .formula = "y = sqrt(sum of x^2 over axes)",
    .jacobian = "x[j] / y[i] where x[j] is a term of y[i], else 0",
    .singular = "0 where y = 0",
    .infer = reduced::infer,
    .eval = [](const Eval& e) { kernels::reduce(e, kernels::Fold::norm, kernels::axis_set(e[axes])); },
    .vjp = {[](const Call& c, Var g) { return mul(spread(over_norm(c, g), c[axes], c.shape(0)), c[0]); }},
    .jvp = {[](const Call& c, Var t) { return over_norm(c, sum(mul(c[0], t), c[axes], c[keepdims])); }},
    .body = [](const Call& c) { return sqrt(sum(square(c[0]), c[axes], c[keepdims])); },
    .tolerance = 16,
};

Var norm(Var x, std::span<const std::int64_t> over, bool keep, Where where) {
  return reduced::record(norm_op, x, over, keep, where);
}

}  // namespace backdrop
