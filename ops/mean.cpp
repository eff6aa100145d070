#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/reduce.hpp>

#include "kernels/leading_fold.hpp"
#include "kernels/reduce.hpp"
#include "parts/reduced.hpp"

namespace backdrop {

using reduced::axes, reduced::keepdims;

namespace {

kernels::AxisSet over(const Call& c) { return kernels::axis_set(c[axes]); }

}  // namespace

// y = sum(x) / n. The kernel divides in f64, where the body multiplies by a rounded 1/n.
constinit const Op mean_op{
    .name = "mean",
    .inputs = {"x"},
    .attrs = {axes, keepdims},
    .formula = "y = sum of x over axes / number of terms",
    .jacobian = "1/n where x[j] is a term of y[i], else 0",
    .leading = reduced::leading,
    .by_panels = true,
    .folding = &kernels::folding_of<kernels::Fold::mean, over>,
    .infer = reduced::infer,
    .eval = [](const Eval& e) { kernels::reduce(e, kernels::Fold::mean, over(e.call)); },
    .vjp = {[](const Call& c, Var g) {
      return spread(scale(g, 1 / reduced::terms(c)), c[axes], c.shape(0));
    }},
    .jvp = {[](const Call& c, Var t) {
      return reduced::terms(c) == 0 ? Var{} : mean(t, c[axes], c[keepdims]);
    }},
    .body = [](const Call& c) { return scale(sum(c[0], c[axes], c[keepdims]), 1 / reduced::terms(c)); },
    .batch = reduced::batch,
    .tolerance = 4,
};

Var mean(Var x, std::span<const std::int64_t> over, bool keep, Where where) {
  return reduced::record(mean_op, x, over, keep, where);
}

}  // namespace backdrop
