#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/reduce.hpp>
#include <cmath>
#include <limits>

#include "kernels/leading_fold.hpp"
#include "kernels/reduce.hpp"
#include "parts/reduced.hpp"

namespace backdrop {

using reduced::axes, reduced::keepdims;

namespace {

kernels::AxisSet reduced_by(const Call& c) { return kernels::axis_set(c[axes]); }

// v / y, and 0 where y = 0. The denominator is mended first, so that no derivative of any order divides by 0.
Var over_norm(const Call& c, Var v) {
  const Var none = equal(c.y, 0.0);
  return masked_fill(div(v, masked_fill(c.y, none, 1)), none, 0);
}

// x^exponent for x >= 0, without a derivative where x is 0: powers of 0 have infinite ones.
Var power_of_length(Var x, double exponent, Where where) {
  const Var none = equal(x, 0.0, where);
  const double of_zero = exponent > 0 ? 0 : std::numeric_limits<double>::infinity();
  return masked_fill(pow(masked_fill(x, none, 1, where), exponent, where), none, of_zero, where);
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
    .folding = &kernels::folding_of<kernels::Fold::norm, reduced_by>,
    .infer = reduced::infer,
    .eval = [](const Eval& e) { kernels::reduce(e, kernels::Fold::norm, reduced_by(e.call)); },
    .vjp = {[](const Call& c, Var g) { return mul(spread(over_norm(c, g), c[axes], c.shape(0)), c[0]); }},
    .jvp = {[](const Call& c, Var t) { return over_norm(c, sum(mul(c[0], t), c[axes], c[keepdims])); }},
    .body = [](const Call& c) { return sqrt(sum(square(c[0]), c[axes], c[keepdims])); },
    .batch = reduced::batch,
    .tolerance = 16,
};

Var norm(Var x, std::span<const std::int64_t> over, bool keep, Where where) {
  return reduced::record(norm_op, x, over, keep, where);
}

Var norm_of_order(Var x, double order, std::span<const std::int64_t> over, bool keep, Where where) {
  if (std::isnan(order)) throw ValueError("norm_of_order: NaN is no order");
  if (order == 2) return norm(x, over, keep, where);
  return all_or_nothing(x.tape(), [&] {
    if (std::isinf(order)) {
      return order > 0 ? max(abs(x, where), over, keep, where) : min(abs(x, where), over, keep, where);
    }
    if (order == 0) return sum(cast(not_equal(x, 0.0, where), x.dtype(), where), over, keep, where);
    if (order == 1) return sum(abs(x, where), over, keep, where);
    const Var total = sum(power_of_length(abs(x, where), order, where), over, keep, where);
    return power_of_length(total, 1 / order, where);
  });
}

}  // namespace backdrop
