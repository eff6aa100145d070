#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/core/shape.hpp>
#include <utility>

namespace backdrop {

namespace {

std::string text_of(std::span<const std::int64_t> extents) {
  std::string text = "[";
  for (std::size_t k = 0; k < extents.size(); ++k) {
    if (k > 0) text += ", ";
    text += std::to_string(extents[k]);
  }
  return text + "]";
}

}  // namespace

Shape::Shape(std::vector<std::int64_t> extents, const char* op) : extents_(std::move(extents)) {
  if (extents_.size() > kMaxRank) {
    throw ShapeError(std::string(op) + ": " + std::to_string(extents_.size()) + " axes; at most " +
                     std::to_string(kMaxRank));
  }
  // An extent of 0 makes the product 0, yet the others must still multiply within range: strides use them.
  std::int64_t product = 1;
  bool empty = false;
  for (std::int64_t extent : extents_) {
    if (extent < 0) throw ShapeError(std::string(op) + ": negative extent in " + text_of(extents_));
    if (extent == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(product, extent, &product)) {
      throw ShapeError(std::string(op) + ": too many elements in " + text_of(extents_));
    }
  }
  // Eight bytes an element must still be addressable.
  if (product > (INT64_MAX >> 4))
    throw ShapeError(std::string(op) + ": too many elements in " + text_of(extents_));
  numel_ = empty ? 0 : static_cast<std::size_t>(product);
}

std::string to_string(const Shape& shape) { return text_of(shape.extents()); }

Shape broadcast(const char* op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const std::size_t rank = std::max(a.rank(), b.rank());
  std::vector<std::int64_t> out(rank);
  for (std::size_t k = 0; k < rank; ++k) {  // k counts axes from the last
    const std::int64_t x = k < a.rank() ? a[a.rank() - 1 - k] : 1;
    const std::int64_t y = k < b.rank() ? b[b.rank() - 1 - k] : 1;
    if (x != y && x != 1 && y != 1) {
      throw ShapeError(std::string(op) + ": shapes " + to_string(a) + " and " + to_string(b) +
                       " do not broadcast; extents must agree from the last axis or be 1");
    }
    out[rank - 1 - k] = x == 1 ? y : x;
  }
  return Shape(std::move(out), op);
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  if (from.rank() > to.rank()) return false;
  const std::size_t lead = to.rank() - from.rank();
  for (std::size_t k = 0; k < from.rank(); ++k) {
    if (from[k] != to[lead + k] && from[k] != 1) return false;
  }
  return true;
}

std::size_t normalize_axis(const char* op, std::int64_t axis, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  if (axis < -r || axis >= r) {
    throw ShapeError(std::string(op) + ": axis " + std::to_string(axis) + " is out of range for rank " +
                     std::to_string(rank));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + r : axis);
}

std::vector<std::int64_t> normalize_axes(const char* op, std::span<const std::int64_t> axes,
                                         std::size_t rank) {
  std::vector<std::int64_t> out;
  if (axes.empty()) {
    for (std::size_t k = 0; k < rank; ++k) out.push_back(static_cast<std::int64_t>(k));
    return out;
  }
  for (std::int64_t axis : axes) out.push_back(static_cast<std::int64_t>(normalize_axis(op, axis, rank)));
  std::sort(out.begin(), out.end());
  if (std::adjacent_find(out.begin(), out.end()) != out.end()) {
    throw ShapeError(std::string(op) + ": an axis is named twice in " + text_of(axes));
  }
  return out;
}

std::vector<std::int64_t> row_major_strides(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.rank());
  std::int64_t step = 1;
  for (std::size_t k = shape.rank(); k-- > 0;) {
    strides[k] = step;
    step *= std::max<std::int64_t>(shape[k], 1);
  }
  return strides;
}

}  // namespace backdrop
