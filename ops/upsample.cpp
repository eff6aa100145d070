#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/convolution.hpp>
#include <backdrop/ops/create.hpp>
#include <backdrop/ops/index.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>
#include <utility>
#include <vector>

#include "parts/infer.hpp"
#include "parts/spatial.hpp"

namespace backdrop {

using spatial::Ints;

namespace {

constexpr auto size = attr::ints("size");
constexpr auto align_corners = attr::boolean("align_corners");

Type infer_upsample(const Call& c) {
  infer::require_float(c, 0);
  const Shape& x = c.shape(0);
  const std::size_t axes = c[size].size();
  if (axes == 0 || x.rank() != axes + 2) {
    throw ShapeError(std::string(c.name()) + ": takes [N, C, axes...] and a size for each of the axes, not " +
                     to_string(x) + " and " + std::to_string(axes) + " sizes");
  }
  spatial::require_list(c.name(), "size", c[size], axes, 1);
  spatial::require_list(c.name(), "extents of x", x.extents().last(axes), axes, 1);
  return {c.dtype(0), c.tape.intern(Shape(spatial::joined(x.extents().first(2), c[size]), c.name()))};
}

// Applies `along` to each spatial axis that changes.
template <class Along>
Var along_axes(const Call& c, Along along) {
  Var y = c[0];
  for (std::size_t k = 0; k < c[size].size(); ++k) y = along(y, k + 2, c[size][k]);
  return y;
}

Var nearest_along(Var x, std::size_t axis, std::int64_t n) {
  // A quarter of a step of 1/n more than i extent / n: the same when cut to a whole number, however it
  // rounds.
  const auto extent = static_cast<double>(x.shape()[axis]), count = static_cast<double>(n);
  const Var places = arange(x.tape(), n, 0.25 / count, extent / count, DType::f64);
  return index_select(x, cast(places, DType::i64), static_cast<std::int64_t>(axis));
}

// (1 - u) x[k] + u x[k + 1] at the places k + u
Var between(Var x, std::size_t axis, Var places) {
  const Shape& from = x.shape();
  const auto at = static_cast<std::int64_t>(axis);
  const Var lower = cast(places, DType::i64);
  const Var floor = cast(lower, DType::f64);
  const Var upper = cast(minimum(floor + 1.0, static_cast<double>(from[axis] - 1)), DType::i64);
  std::vector<std::int64_t> extents(from.rank() - axis, 1);
  extents[0] = places.shape()[0];
  const Var weight = reshape(cast(places - floor, x.dtype()), extents);
  return index_select(x, lower, at) * (1.0 - weight) + index_select(x, upper, at) * weight;
}

Var linear_along(Var x, std::size_t axis, std::int64_t n, bool corners) {
  const auto extent = static_cast<double>(x.shape()[axis]), count = static_cast<double>(n);
  Tape& tape = x.tape();
  if (corners) {
    const double step = n > 1 ? (extent - 1) / (count - 1) : 0;
    // Rounding must not lead beyond the last element.
    return between(x, axis, minimum(arange(tape, n, 0, step, DType::f64), extent - 1));
  }
  const double step = extent / count;
  return between(x, axis, maximum(arange(tape, n, step / 2 - 0.5, step, DType::f64), 0.0));
}

}  // namespace

// y[..., i] = x[..., floor(i S / size)]
constinit const Op upsample_nearest_op{
    .name = "upsample_nearest",
    .inputs = {"x"},
    .attrs = {size},
    .formula = "y[n, c, i...] = x[n, c, floor(i S / size)...]",
    .jacobian = "0s and 1s: 1 where y[k] is a copy of x[j]",
    .infer = infer_upsample,
    .body = [](const Call& c) { return along_axes(c, nearest_along); },
};

// y[..., i] = (1 - u) x[..., k] + u x[..., k + 1]
constinit const Op upsample_bilinear_op{
    .name = "upsample_bilinear",
    .inputs = {"x"},
    .attrs = {size, align_corners},
    .formula =
        "y[n, c, i...] = (1-u) x[n, c, k] + u x[n, c, k+1] along each axis, k + u = max((i + 1/2) S / size "
        "- 1/2, 0), or i (S-1) / (size-1) with align_corners",
    .jacobian = "1-u where j = k, u where j = k+1, along each axis",
    .infer = infer_upsample,
    .body =
        [](const Call& c) {
          return along_axes(c, [&](Var x, std::size_t axis, std::int64_t n) {
            return linear_along(x, axis, n, c[align_corners]);
          });
        },
};

Var upsample_nearest(Var x, const std::vector<std::int64_t>& to, Where where) {
  return x.tape().record(upsample_nearest_op, {x}, {Ints(to)}, where);
}

Var upsample_bilinear(Var x, const std::vector<std::int64_t>& to, bool corners, Where where) {
  return x.tape().record(upsample_bilinear_op, {x}, {Ints(to), corners}, where);
}

}  // namespace backdrop
