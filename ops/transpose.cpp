#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>
#include <vector>

#include "kernels/strided.hpp"
#include "parts/batched.hpp"

namespace backdrop {

namespace {

constexpr auto axes = attr::ints("axes");

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

std::string to_text(std::span<const std::int64_t> order) {
  std::string text = "[";
  for (std::size_t k = 0; k < order.size(); ++k) text += (k > 0 ? ", " : "") + std::to_string(order[k]);
  return text + "]";
}

// Shape of y, after a check that `order` names every axis of `from` once.
Shape permuted(const Shape& from, std::span<const std::int64_t> order) {
  std::vector<bool> seen(from.rank(), false);
  std::vector<std::int64_t> extents;
  for (std::int64_t axis : order) {
    if (axis < 0 || at(axis) >= from.rank() || seen[at(axis)]) break;
    seen[at(axis)] = true;
    extents.push_back(from[at(axis)]);
  }
  if (extents.size() != from.rank() || order.size() != from.rank()) {
    throw ShapeError("transpose: axes " + to_text(order) + " must name every axis of " + to_string(from) +
                     " once");
  }
  return Shape(std::move(extents));
}

Type infer_transpose(const Call& c) { return {c.dtype(0), c.tape.intern(permuted(c.shape(0), c[axes]))}; }

void copy(const Eval& e) {
  const auto strides = kernels::strides_of(*e.x[0].shape);
  std::array<std::int64_t, kMaxRank> permuted_strides{};
  const auto order = e[axes];
  for (std::size_t k = 0; k < order.size(); ++k) permuted_strides[k] = strides[at(order[k])];
  kernels::copy_from(e.x[0], 0, permuted_strides, e.y, e.workers);
}

Var undo(const Call& c, Var g) {
  const auto order = c[axes];
  std::vector<std::int64_t> inverse(order.size());
  for (std::size_t k = 0; k < order.size(); ++k) inverse[at(order[k])] = static_cast<std::int64_t>(k);
  return transpose(g, inverse);
}

std::size_t unmoved(const Call& c, std::size_t) {
  const auto order = c[axes];
  std::size_t k = 0;
  while (k < order.size() && at(order[k]) == k) ++k;
  return k;
}

}  // namespace

// y[i_axes[0], i_axes[1], ...] = x[i_0, i_1, ...]
constinit const Op transpose_op{
    .name = "transpose",
    .inputs = {"x"},
    .attrs = {axes},
    .formula = "y = x with its axes in the order `axes`: axis k of y is axis axes[k] of x",
    .jacobian = "a permutation matrix",
    .structure = Structure::selection,
    .leading = unmoved,
    .infer = infer_transpose,
    .eval = copy,
    .vjp = {undo},
    .jvp = rule::linear,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          return transpose(x[0], batched::before(0, batched::moved(c[axes])));
        },
};

Var transpose(Var x, const std::vector<std::int64_t>& order, Where where) {
  const std::size_t rank = x.shape().rank();
  std::vector<std::int64_t> normal;
  normal.reserve(rank);
  for (std::int64_t axis : order) {
    normal.push_back(static_cast<std::int64_t>(normalize_axis("transpose", axis, rank)));
  }
  for (std::size_t k = rank; order.empty() && k-- > 0;) normal.push_back(static_cast<std::int64_t>(k));
  return x.tape().record(transpose_op, {x}, {std::span<const std::int64_t>(normal)}, where);
}

Var swap_axes(Var x, std::int64_t a, std::int64_t b, Where where) {
  const std::size_t rank = x.shape().rank();
  std::vector<std::int64_t> order(rank);
  for (std::size_t k = 0; k < rank; ++k) order[k] = static_cast<std::int64_t>(k);
  std::swap(order[normalize_axis("swap_axes", a, rank)], order[normalize_axis("swap_axes", b, rank)]);
  return transpose(x, order, where);
}

}  // namespace backdrop
