#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/reduce.hpp>

#include "infer.hpp"
#include "kernels/broadcast.hpp"
#include "reduced.hpp"

namespace backdrop {

namespace {

constexpr auto axes = attr::ints("axes");
constexpr auto keepdims = attr::boolean("keepdims");

Type infer_sum(const Call& c) {
  infer::require_float(c, 0);
  const auto over = c[axes];
  require_canonical_axes(c, over);
  return {c.dtype(0), c.tape.intern(reduced_shape(c.shape(0), over, c[keepdims]))};
}

}  // namespace

// y = sum over `axes` of x
constinit const Op sum_op{
    .name = "sum",
    .inputs = {"x"},
    .attrs = {axes, keepdims},
    .formula = "y = sum of x over axes",
    .jacobian = "0s and 1s: 1 where x[j] is a term of y[i]",
    .infer = infer_sum,
    .eval = [](const Eval& e) { kernels::sum_axes(e, e[axes]); },
    .vjp = {[](const Call& c, Var g) { return spread(g, c[axes], c.shape(0)); }},
    .jvp = linear,
};

Var sum(Var x, std::span<const std::int64_t> over, bool keep, Where where) {
  const auto sorted = normalize_axes("sum", over, x.shape().rank());
  return x.tape().record(sum_op, {x}, {std::span<const std::int64_t>(sorted), keep}, where);
}

}  // namespace backdrop
