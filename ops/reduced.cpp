#include "reduced.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>
#include <vector>

namespace backdrop {

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
