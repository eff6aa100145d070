#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/reduce.hpp>

#include "kernels/leading_fold.hpp"
#include "kernels/reduce.hpp"
#include "parts/reduced.hpp"

namespace backdrop {

using reduced::axes, reduced::keepdims;

namespace {

kernels::AxisSet over(const Call& c) { return kernels::axis_set(c[axes]); }

}  // namespace

// y = sum over `axes` of x
constinit const Op sum_op{
    .name = "sum",
    .inputs = {"x"},
    .attrs = {axes, keepdims},
    .formula = "y = sum of x over axes",
    .jacobian = "0s and 1s: 1 where x[j] is a term of y[i]",
    .structure = Structure::partition,
    .leading = reduced::leading,
    .by_panels = true,
    .folding = &kernels::folding_of<kernels::Fold::sum, over>,
    .infer = reduced::infer,
    .eval = [](const Eval& e) { kernels::reduce(e, kernels::Fold::sum, over(e.call)); },
    .vjp = {[](const Call& c, Var g) { return spread(g, c[axes], c.shape(0)); }},
    .jvp = rule::linear,
    .batch = reduced::batch,
};

Var sum(Var x, std::span<const std::int64_t> over, bool keep, Where where) {
  return reduced::record(sum_op, x, over, keep, where);
}

}  // namespace backdrop
