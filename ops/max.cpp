#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/reduce.hpp>

#include "kernels/reduce.hpp"
#include "parts/reduced.hpp"

namespace backdrop {

using reduced::axes, reduced::keepdims;

namespace {

// Where x is what it was reduced to. Several elements of one output share its derivative equally.
Var winners(const Call& c) { return equal(c[0], spread(c.y, c[axes], c.shape(0))); }
Var count(const Call& c, Var mask) { return sum(cast(mask, c.dtype(0)), c[axes], c[keepdims]); }

Var share_out(const Call& c, Var g) {
  const Var mask = winners(c);
  return mul(spread(div(g, count(c, mask)), c[axes], c.shape(0)), mask);
}

Var average(const Call& c, Var t) {
  const Var mask = winners(c);
  return div(sum(mul(t, mask), c[axes], c[keepdims]), count(c, mask));
}

template <kernels::Fold kFold>
void extreme(const Eval& e) {
  kernels::reduce(e, kFold, kernels::axis_set(e[axes]));
}

}  // namespace

// y = the greatest element over `axes`
constinit const Op max_op{
    .name = "max",
    .inputs = {"x"},
    .attrs = {axes, keepdims},
    .formula = "y = max of x over axes; NaN if any is NaN",
    .jacobian = "1/n where x[j] is one of the n elements equal to y[i], else 0",
    .singular = "ties share the derivative equally; none arrives where y is NaN",
    .leading = reduced::leading,
    .by_panels = true,
    .infer = reduced::infer_some,
    .eval = extreme<kernels::Fold::max>,
    .vjp = {share_out},
    .jvp = {average},
    .batch = reduced::batch,
};

// y = the least element over `axes`
constinit const Op min_op{
    .name = "min",
    .inputs = {"x"},
    .attrs = {axes, keepdims},
    .formula = "y = min of x over axes; NaN if any is NaN",
    .jacobian = "1/n where x[j] is one of the n elements equal to y[i], else 0",
    .singular = "ties share the derivative equally; none arrives where y is NaN",
    .leading = reduced::leading,
    .by_panels = true,
    .infer = reduced::infer_some,
    .eval = extreme<kernels::Fold::min>,
    .vjp = {share_out},
    .jvp = {average},
    .batch = reduced::batch,
};

Var max(Var x, std::span<const std::int64_t> over, bool keep, Where where) {
  return reduced::record(max_op, x, over, keep, where);
}

Var min(Var x, std::span<const std::int64_t> over, bool keep, Where where) {
  return reduced::record(min_op, x, over, keep, where);
}

}  // namespace backdrop
