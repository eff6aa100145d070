#include "reduced.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>
#include <vector>

#include "batched.hpp"
#include "infer.hpp"

namespace backdrop {

namespace reduced {

Type infer(const Call& c) {
  backdrop::infer::require_float(c, 0);
  require_canonical_axes(c, c[axes]);
  return {c.dtype(0), c.tape.intern(reduced_shape(c.shape(0), c[axes], c[keepdims]))};
}

Type infer_some(const Call& c) {
  const Type type = infer(c);
  if (terms(c) == 0) {
    throw ShapeError(std::string(c.name()) + ": nothing to reduce in " + to_string(c.shape(0)) +
                     "; reduce over axes that have elements");
  }
  return type;
}

Var record(const Op& op, Var x, std::span<const std::int64_t> over, bool keep, Where where) {
  const auto sorted = normalize_axes(op.name, over, x.shape().rank());
  return x.tape().record(op, {x}, {std::span<const std::int64_t>(sorted), keep}, where);
}

std::size_t leading(const Call& c, std::size_t) {
  return c[axes].empty() ? 0 : static_cast<std::size_t>(c[axes][0]);
}

Var batch(const Call& c, std::span<const Var> x) {
  const auto moved = batched::moved(c[axes]);
  return x[0].tape().record(*c.node.op, {x[0]}, {std::span<const std::int64_t>(moved), c[keepdims]},
                            Where::here());
}

double terms(const Call& c) {
  double count = 1;
  for (std::int64_t axis : c[axes]) count *= static_cast<double>(c.shape(0)[static_cast<std::size_t>(axis)]);
  return count;
}

}  // namespace reduced

void require_canonical_axes(const Call& c, std::span<const std::int64_t> axes) {
  std::int64_t least = 0;
  for (std::int64_t axis : axes) {
    if (axis < least || axis >= static_cast<std::int64_t>(c.shape(0).rank())) {
      throw ShapeError(std::string(c.name()) + ": axes must be sorted, unique and within " +
                       to_string(c.shape(0)));
    }
    least = axis + 1;
  }
}

Shape reduced_shape(const Shape& from, std::span<const std::int64_t> axes, bool keepdims) {
  std::vector<std::int64_t> extents;
  for (std::size_t k = 0; k < from.rank(); ++k) {
    const bool reduced = std::binary_search(axes.begin(), axes.end(), static_cast<std::int64_t>(k));
    if (!reduced) extents.push_back(from[k]);
    if (reduced && keepdims) extents.push_back(1);
  }
  return Shape(std::move(extents));
}

Var spread(Var y, std::span<const std::int64_t> axes, const Shape& shape) {
  const Shape kept = reduced_shape(shape, axes, true);
  if (y.shape() != kept) y = reshape(y, kept);
  return broadcast_to(y, shape);
}

}  // namespace backdrop
