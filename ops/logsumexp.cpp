#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/reduce.hpp>
#include <limits>

#include "kernels/softmax.hpp"
#include "parts/reduced.hpp"

namespace backdrop {

using reduced::axes, reduced::keepdims;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// softmax over axes. Where all are -Inf, a 0 in place of y keeps -Inf + Inf away: e^-Inf is 0.
Var weights(const Call& c) {
  const Var grounded = masked_fill(c.y, equal(c.y, -kInfinity), 0);
  return exp(sub(c[0], spread(grounded, c[axes], c.shape(0))));
}

// The shift by the greatest element keeps exp in range; where that is infinite there is nothing to shift.
// Where all are -Inf, log takes a constant in place of the empty sum, so that their derivative is 0.
Var shifted(const Call& c) {
  const Var greatest = stop_gradient(max(c[0], c[axes], true));
  const Var empty = equal(greatest, -kInfinity);
  const Var shift = masked_fill(greatest, equal(greatest, kInfinity), 0);
  const Var total = sum(exp(sub(c[0], masked_fill(shift, empty, 0))), c[axes], true);
  const Var y = add(log(masked_fill(total, empty, 1)), shift);
  return c[keepdims] ? y : reshape(y, reduced_shape(c.shape(0), c[axes], false));
}

}  // namespace

// y = log(sum of e^x)
constinit const Op logsumexp_op{
    .name = "logsumexp",
    .inputs = {"x"},
    .attrs = {axes, keepdims},
    .formula = "y = log(sum of e^x over axes)",
    .jacobian = "e^(x[j] - y[i]) where x[j] is a term of y[i], else 0: softmax",
    .singular = "0 where y = -Inf; NaN in terms that are +Inf",
    .leading = reduced::leading,
    .by_panels = true,
    .infer = reduced::infer_some,
    .eval = [](const Eval& e) { kernels::logsumexp(e, kernels::axis_set(e[axes])); },
    .vjp = {[](const Call& c, Var g) { return mul(spread(g, c[axes], c.shape(0)), weights(c)); }},
    .jvp = {[](const Call& c, Var t) { return sum(mul(t, weights(c)), c[axes], c[keepdims]); }},
    .body = shifted,
    .batch = reduced::batch,
    .tolerance = 16,
};

Var logsumexp(Var x, std::span<const std::int64_t> over, bool keep, Where where) {
  return reduced::record(logsumexp_op, x, over, keep, where);
}

}  // namespace backdrop
