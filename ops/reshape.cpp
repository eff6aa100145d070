#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/layout.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "parts/batched.hpp"

namespace backdrop {

namespace {

constexpr auto shape = attr::ints("shape");

Type infer_reshape(const Call& c) {
  const Shape to(c[shape], c.name());
  if (to.numel() != c.shape(0).numel()) {
    throw ShapeError("reshape: the elements of " + to_string(c.shape(0)) + " do not fill " + to_string(to));
  }
  return {c.dtype(0), c.tape.intern(to)};
}

void copy(const Eval& e) { std::memcpy(e.y.data, e.x[0].data, byte_size(e.y.dtype, e.y.numel())); }

// -1 stands for whatever makes the counts agree.
Shape resolve(std::span<const std::int64_t> extents, const Shape& from) {
  std::vector<std::int64_t> out(extents.begin(), extents.end());
  const auto open = std::find(out.begin(), out.end(), -1);
  if (open == out.end()) return Shape(std::move(out), "reshape");
  *open = 1;
  const Shape rest(out, "reshape");
  if (rest.numel() > 0) *open = static_cast<std::int64_t>(from.numel() / rest.numel());
  return Shape(std::move(out), "reshape");
}

}  // namespace

// y = x, its elements in row-major order under another shape
constinit const Op reshape_op{
    .name = "reshape",
    .inputs = {"x"},
    .attrs = {shape},
    .formula = "y = the elements of x in row-major order under another shape",
    .jacobian = "I",
    .structure = Structure::identity,
    .view = true,
    .infer = infer_reshape,
    .eval = copy,
    .vjp = {[](const Call& c, Var g) { return reshape(g, c.shape(0)); }},
    .jvp = rule::linear,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          return reshape(x[0], Shape(batched::before(x[0].shape()[0], c[shape])));
        },
};

Var reshape(Var x, std::span<const std::int64_t> extents, Where where) {
  const Shape to = resolve(extents, x.shape());
  return x.tape().record(reshape_op, {x}, {to.extents()}, where);
}

Var squeeze(Var x, const std::vector<std::int64_t>& axes, Where where) {
  const Shape& from = x.shape();
  std::vector<bool> dropped(from.rank(), false);
  for (std::int64_t axis : axes) {
    const std::size_t k = normalize_axis("squeeze", axis, from.rank());
    if (from[k] != 1) {
      throw ShapeError("squeeze: axis " + std::to_string(axis) + " of " + to_string(from) +
                       " has more or less than one element; select() picks one");
    }
    dropped[k] = true;
  }
  std::vector<std::int64_t> extents;
  for (std::size_t k = 0; k < from.rank(); ++k) {
    if (axes.empty() ? from[k] != 1 : !dropped[k]) extents.push_back(from[k]);
  }
  return reshape(x, Shape(std::move(extents)), where);
}

Var unsqueeze(Var x, std::int64_t axis, Where where) {
  const Shape& from = x.shape();
  std::vector<std::int64_t> extents(from.begin(), from.end());
  const std::size_t k = normalize_axis("unsqueeze", axis, from.rank() + 1);
  extents.insert(extents.begin() + static_cast<std::ptrdiff_t>(k), 1);
  return reshape(x, Shape(std::move(extents), "unsqueeze"), where);
}

Var flatten(Var x, std::int64_t first, std::int64_t last, Where where) {
  const Shape& from = x.shape();
  if (from.rank() == 0) return reshape(x, Shape{1}, where);
  const std::size_t begin = normalize_axis("flatten", first, from.rank());
  const std::size_t end = normalize_axis("flatten", last, from.rank()) + 1;
  if (begin >= end) {
    throw ShapeError("flatten: axis " + std::to_string(first) + " of " + to_string(from) +
                     " comes after axis " + std::to_string(last));
  }
  std::vector<std::int64_t> extents(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(begin));
  extents.push_back(static_cast<std::int64_t>(Shape(from.extents().subspan(begin, end - begin)).numel()));
  extents.insert(extents.end(), from.begin() + static_cast<std::ptrdiff_t>(end), from.end());
  return reshape(x, Shape(std::move(extents)), where);
}

}  // namespace backdrop
