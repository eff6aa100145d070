#include <algorithm>
#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/index.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>
#include <vector>

#include "kernels/index.hpp"
#include "parts/batched.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr double kMost = 0x1p53;  // integers up to here are exact as doubles
constexpr auto axis = attr::integer("axis");
constexpr auto extent = attr::integer("extent").between(0, kMost);
constexpr auto classes = attr::integer("classes").between(0, kMost);
constexpr auto dtype = attr::dtype("dtype");

std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

std::size_t before_axis(const Call& c, std::size_t) { return at(c[axis]); }
// Where the indices are the same for all that lies before.
std::size_t before_axis_of_x(const Call& c, std::size_t input) { return input == 0 ? at(c[axis]) : 0; }

void require_dtypes(const Call& c) {
  infer::require_number(c, 0);
  infer::require_dtype(c, 1, DType::i64, "; cast(x, DType::i64) makes indices from numbers");
}

void require_axis(const Call& c) {
  if (c[axis] >= 0 && c[axis] < static_cast<std::int64_t>(c.shape(0).rank())) return;
  throw ShapeError(std::string(c.name()) + ": axis " + std::to_string(c[axis]) + " lies outside " +
                   to_string(c.shape(0)));
}

// The shape of input 0 with `count` axes from `first` on replaced by `by`.
Shape replaced(const Call& c, std::size_t first, std::size_t count, std::span<const std::int64_t> by) {
  const auto all = c.shape(0).extents();
  std::vector<std::int64_t> extents(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first));
  extents.insert(extents.end(), by.begin(), by.end());
  extents.insert(extents.end(), all.begin() + static_cast<std::ptrdiff_t>(first + count), all.end());
  return Shape(std::move(extents), c.name());
}

Type infer_index_select(const Call& c) {
  require_dtypes(c);
  require_axis(c);
  return {c.dtype(0), c.tape.intern(replaced(c, at(c[axis]), 1, c.shape(1).extents()))};
}

Type infer_index_add(const Call& c) {
  require_dtypes(c);
  const Shape &x = c.shape(0), &indices = c.shape(1);
  const std::size_t first = at(c[axis]);
  const bool fits = c[axis] >= 0 && first <= x.rank() && indices.rank() <= x.rank() - first &&
                    std::ranges::equal(x.extents().subspan(first, indices.rank()), indices.extents());
  if (!fits) {
    throw ShapeError("index_add: x is " + to_string(x) + ", but must have the axes " + to_string(indices) +
                     " of the indices from axis " + std::to_string(c[axis]) + " on");
  }
  const std::int64_t rows = c[extent];
  return {c.dtype(0), c.tape.intern(replaced(c, first, indices.rank(), {&rows, 1}))};
}

void require_alike(const Call& c) {
  require_dtypes(c);
  require_axis(c);
  const Shape &x = c.shape(0), &indices = c.shape(1);
  bool fits = x.rank() == indices.rank();
  for (std::size_t k = 0; fits && k < x.rank(); ++k) fits = k == at(c[axis]) || x[k] == indices[k];
  if (fits) return;
  throw ShapeError(std::string(c.name()) + ": x " + to_string(x) + " and indices " + to_string(indices) +
                   " differ outside of axis " + std::to_string(c[axis]));
}

Type infer_gather(const Call& c) {
  require_alike(c);
  return {c.dtype(0), c.type(1).shape};
}

Type infer_scatter_add(const Call& c) {
  require_alike(c);
  infer::require_same_shape(c, 0, 1);
  const std::int64_t rows = c[extent];
  return {c.dtype(0), c.tape.intern(replaced(c, at(c[axis]), 1, {&rows, 1}))};
}

Type infer_one_hot(const Call& c) {
  infer::require_dtype(c, 0, DType::i64, "; cast(x, DType::i64) makes indices from numbers");
  if (!is_float(c[dtype])) throw DTypeError("one_hot: makes f32 or f64, not " + to_string(c[dtype]));
  const std::int64_t width = c[classes];
  return {c[dtype], c.tape.intern(replaced(c, c.shape(0).rank(), 0, {&width, 1}))};
}

std::int64_t normal(const char* op, std::int64_t k, std::size_t rank) {
  return static_cast<std::int64_t>(normalize_axis(op, k, rank));
}

}  // namespace

// y[a, i, b] = x[a, indices[i], b]
constinit const Op index_select_op{
    .name = "index_select",
    .inputs = {"x", "indices"},
    .attrs = {axis},
    .formula = "y[a..., i..., b...] = x[a..., indices[i...], b...]",
    .jacobian = "0s and 1s: 1 where y[k] is a copy of x[j]",
    .structure = Structure::selection,
    .leading = before_axis_of_x,
    .checks_values = true,
    .infer = infer_index_select,
    .eval = [](const Eval& e) { kernels::index_select(e, at(e[axis])); },
    .vjp = {[](const Call& c, Var g) { return index_add(g, c[1], c[axis], c.shape(0)[at(c[axis])]); }},
    .jvp = multilinear_in<0>,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          if (!batched::is(c, x, 1)) return index_select(x[0], x[1], c[axis] + 1);
          return batched::is(c, x, 0) || c[axis] != 0 ? Var{} : index_select(x[0], x[1], 0);
        },
};

// The transpose of index_select.
constinit const Op index_add_op{
    .name = "index_add",
    .inputs = {"x", "indices"},
    .attrs = {axis, extent},
    .formula = "y = 0; y[a..., indices[i...], b...] += x[a..., i..., b...] in the order of i",
    .jacobian = "the transpose of index_select's",
    .structure = Structure::partition,
    .leading = before_axis_of_x,
    .checks_values = true,
    .infer = infer_index_add,
    .eval = [](const Eval& e) { kernels::index_add(e, at(e[axis])); },
    .vjp = {[](const Call& c, Var g) { return index_select(g, c[1], c[axis]); }},
    .jvp = multilinear_in<0>,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          return batched::is(c, x, 1) ? Var{} : index_add(x[0], x[1], c[axis] + 1, c[extent]);
        },
};

// y[a, i, b] = x[a, indices[a, i, b], b]
constinit const Op gather_op{
    .name = "gather",
    .inputs = {"x", "indices"},
    .attrs = {axis},
    .formula = "y[a..., i, b...] = x[a..., indices[a..., i, b...], b...]",
    .jacobian = "0s and 1s: 1 where y[k] is a copy of x[j]",
    .structure = Structure::selection,
    .leading = before_axis,
    .checks_values = true,
    .infer = infer_gather,
    .eval = [](const Eval& e) { kernels::gather(e, at(e[axis])); },
    .vjp = {[](const Call& c, Var g) { return scatter_add(g, c[1], c[axis], c.shape(0)[at(c[axis])]); }},
    .jvp = multilinear_in<0>,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          const std::vector<Var> all = batched::all(c, x);
          return gather(all[0], all[1], c[axis] + 1);
        },
};

// The transpose of gather.
constinit const Op scatter_add_op{
    .name = "scatter_add",
    .inputs = {"x", "indices"},
    .attrs = {axis, extent},
    .formula = "y = 0; y[a..., indices[a..., i, b...], b...] += x[a..., i, b...] in the order of i",
    .jacobian = "the transpose of gather's",
    .structure = Structure::partition,
    .leading = before_axis,
    .checks_values = true,
    .infer = infer_scatter_add,
    .eval = [](const Eval& e) { kernels::scatter_add(e, at(e[axis])); },
    .vjp = {[](const Call& c, Var g) { return gather(g, c[1], c[axis]); }},
    .jvp = multilinear_in<0>,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          const std::vector<Var> all = batched::all(c, x);
          return scatter_add(all[0], all[1], c[axis] + 1, c[extent]);
        },
};

// y[i, c] = 1 where indices[i] = c, else 0
constinit const Op one_hot_op{
    .name = "one_hot",
    .inputs = {"indices"},
    .attrs = {classes, dtype},
    .formula = "y[i..., c] = 1 where indices[i...] = c, else 0",
    .jacobian = "none: indices have no derivative",
    .leading = [](const Call& c, std::size_t) { return c.shape(0).rank(); },
    .by_panels = true,
    .checks_values = true,
    .infer = infer_one_hot,
    .eval = kernels::one_hot,
    .batch = batched::same,
};

Var index_select(Var x, Var indices, std::int64_t k, Where where) {
  return x.tape().record(index_select_op, {x, indices}, {normal("index_select", k, x.shape().rank())}, where);
}

Var embedding(Var table, Var indices, Where where) { return index_select(table, indices, 0, where); }

Var embedding(Var table, Var indices, std::int64_t padding, Where where) {
  const std::size_t rank = table.shape().rank();
  const std::int64_t n = rank > 0 ? table.shape()[0] : 0;
  const std::int64_t row = padding < 0 ? padding + n : padding;
  if (row < 0 || row >= n) {
    throw ValueError("embedding: there is no row " + std::to_string(padding) + " for padding in " +
                     to_string(table.shape()));
  }
  return all_or_nothing(table.tape(), [&] {
    const Var rows = embedding(table, indices, where);
    std::vector<std::int64_t> extents(indices.shape().begin(), indices.shape().end());
    extents.resize(rows.shape().rank(), 1);
    const Var constant = reshape(equal(indices, static_cast<double>(row), where), extents, where);
    return backdrop::where(constant, stop_gradient(rows, where), rows, where);
  });
}

Var index_add(Var x, Var indices, std::int64_t k, std::int64_t rows, Where where) {
  const std::size_t taken = indices.shape().rank(), rank = x.shape().rank();
  const std::size_t result_rank = rank + 1 > taken ? rank + 1 - taken : 1;
  return x.tape().record(index_add_op, {x, indices}, {normal("index_add", k, result_rank), rows}, where);
}

Var gather(Var x, Var indices, std::int64_t k, Where where) {
  return x.tape().record(gather_op, {x, indices}, {normal("gather", k, x.shape().rank())}, where);
}

Var scatter_add(Var x, Var indices, std::int64_t k, std::int64_t rows, Where where) {
  return x.tape().record(scatter_add_op, {x, indices}, {normal("scatter_add", k, x.shape().rank()), rows},
                         where);
}

Var one_hot(Var indices, std::int64_t width, DType type, Where where) {
  return indices.tape().record(one_hot_op, {indices}, {width, type}, where);
}

}  // namespace backdrop
