#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/reduce.hpp>
#include <backdrop/ops/scan.hpp>
#include <vector>

#include "kernels/reduce.hpp"
#include "parts/reduced.hpp"

namespace backdrop {

using reduced::axes, reduced::keepdims;

namespace {

// x with the reduced axes last and joined to one.
Var gathered(const Call& c) {
  const Shape& shape = c.shape(0);
  const kernels::AxisSet over = kernels::axis_set(c[axes]);
  std::vector<std::int64_t> order, extents;
  for (std::size_t k = 0; k < shape.rank(); ++k) {
    if (over[k]) continue;
    order.push_back(static_cast<std::int64_t>(k));
    extents.push_back(shape[k]);
  }
  order.insert(order.end(), c[axes].begin(), c[axes].end());
  extents.push_back(static_cast<std::int64_t>(reduced::terms(c)));
  return reshape(shape.rank() > 1 ? transpose(c[0], order) : c[0], Shape(std::move(extents)));
}

// The last of the running products, whose derivatives need no division.
Var last_product(const Call& c) {
  if (reduced::terms(c) == 0) return add(sum(c[0], c[axes], c[keepdims]), 1);
  const Shape to = reduced_shape(c.shape(0), c[axes], c[keepdims]);
  return reshape(select(cumprod(gathered(c), -1), -1, -1), to);
}

}  // namespace

// y = product over `axes` of x
constinit const Op prod_op{
    .name = "prod",
    .inputs = {"x"},
    .attrs = {axes, keepdims},
    .formula = "y = product of x over axes",
    .jacobian = "the product of the other terms of y[i] where x[j] is one, else 0",
    .infer = reduced::infer,
    .eval = [](const Eval& e) { kernels::reduce(e, kernels::Fold::prod, kernels::axis_set(e[axes])); },
    .body = last_product,
    .batch = reduced::batch,
    .tolerance = 64,
};

Var prod(Var x, std::span<const std::int64_t> over, bool keep, Where where) {
  return reduced::record(prod_op, x, over, keep, where);
}

}  // namespace backdrop
