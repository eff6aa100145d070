#include <backdrop/core/error.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>

#include "kernels/broadcast.hpp"
#include "kernels/leading_fold.hpp"
#include "kernels/reduce.hpp"
#include "parts/batched.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr auto shape = attr::ints("shape");

Type infer_broadcast(const Call& c) {
  const Shape to(c[shape], c.name());
  if (!broadcasts_to(c.shape(0), to)) {
    throw ShapeError("broadcast_to: " + to_string(c.shape(0)) + " does not broadcast to " + to_string(to));
  }
  return {c.dtype(0), c.tape.intern(to)};
}

Type infer_sum_to(const Call& c) {
  infer::require_float(c, 0);
  const Shape to(c[shape], c.name());
  if (!broadcasts_to(to, c.shape(0))) {
    throw ShapeError("sum_to: " + to_string(c.shape(0)) + " does not sum to " + to_string(to) +
                     ", which does not broadcast to it");
  }
  return {c.dtype(0), c.tape.intern(to)};
}

// The leading axes that both have in full.
std::size_t shared_axes(const Call& c, std::size_t) {
  const Shape &x = c.shape(0), &y = c.y.shape();
  std::size_t k = 0;
  while (x.rank() == y.rank() && k < x.rank() && x[k] == y[k]) ++k;
  return k;
}

// The leading axes of y that x lacks, or has with extent 1.
std::size_t new_axes(const Call& c) {
  const Shape &x = c.shape(0), &y = c.y.shape();
  std::size_t k = y.rank() - x.rank();
  while (k < y.rank() && x[k + x.rank() - y.rank()] == 1) ++k;
  return k;
}

// The extents with as many 1s before them as make `rank` axes.
std::vector<std::int64_t> padded(const Shape& extents, std::size_t rank) {
  std::vector<std::int64_t> out(rank - extents.rank(), 1);
  out.insert(out.end(), extents.begin(), extents.end());
  return out;
}

kernels::AxisSet summed(const Call& c) { return kernels::axes_summed(c.shape(0), c.y.shape()); }

// Of some rows, too.
void sum_down(const Eval& e) {
  kernels::reduce(e, kernels::Fold::sum, kernels::axes_summed(*e.x[0].shape, *e.y.shape));
}

}  // namespace

// y[..., i, ...] = x[..., 0, ...] along the axes that x lacks or has with extent 1
constinit const Op broadcast_to_op{
    .name = "broadcast_to",
    .inputs = {"x"},
    .attrs = {shape},
    .formula = "y = x repeated along new axes and axes of extent 1",
    .jacobian = "0s and 1s: B, with B[i, j] = 1 where y[i] is a copy of x[j]",
    .structure = Structure::selection,
    .leading = shared_axes,
    .repeats = new_axes,
    .by_panels = true,
    .infer = infer_broadcast,
    .eval = kernels::broadcast,
    .vjp = {[](const Call& c, Var g) { return sum_to(g, c.shape(0)); }},
    .jvp = rule::linear,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          const std::int64_t n = x[0].shape()[0];
          const Shape aligned(batched::before(n, padded(c.shape(0), c[shape].size())));
          return broadcast_to(reshape(x[0], aligned), Shape(batched::before(n, c[shape])));
        },
};

// the transpose of broadcast_to
constinit const Op sum_to_op{
    .name = "sum_to",
    .inputs = {"x"},
    .attrs = {shape},
    .formula = "y = x summed over the axes that `shape` lacks or has with extent 1",
    .jacobian = "B', the transpose of broadcast_to's",
    .structure = Structure::partition,
    .leading = shared_axes,
    .by_panels = true,
    .folding = &kernels::folding_of<kernels::Fold::sum, summed>,
    .infer = infer_sum_to,
    .eval = sum_down,
    .vjp = {[](const Call& c, Var g) { return broadcast_to(g, c.shape(0)); }},
    .jvp = rule::linear,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          const std::int64_t n = x[0].shape()[0];
          const Shape to(c[shape]);
          const Var y = sum_to(x[0], Shape(batched::before(n, padded(to, c.shape(0).rank()))));
          return reshape(y, Shape(batched::before(n, c[shape])));
        },
};

Var broadcast_to(Var x, const Shape& to, Where where) {
  return x.tape().record(broadcast_to_op, {x}, {to.extents()}, where);
}

Var sum_to(Var x, const Shape& to, Where where) {
  return x.tape().record(sum_to_op, {x}, {to.extents()}, where);
}

}  // namespace backdrop
