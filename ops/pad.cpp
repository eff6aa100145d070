#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/create.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>
#include <vector>

namespace backdrop {

namespace {

using Ints = std::vector<std::int64_t>;

// One axis of what is padded.
struct Axis {
  std::size_t k;
  std::int64_t extent;
};

Var cut(Var x, Axis axis, std::int64_t first, std::int64_t stop, std::int64_t step, Where where) {
  Ints starts(axis.k + 1, 0), stops(axis.k + 1, kEnd), steps(axis.k + 1, 1);
  starts[axis.k] = first;
  stops[axis.k] = stop;
  steps[axis.k] = step;
  return slice(x, starts, stops, steps, where);
}

Shape resized(Var x, Axis axis, std::int64_t width) {
  Ints extents(x.shape().begin(), x.shape().end());
  extents[axis.k] = width;
  return Shape(std::move(extents));
}

Var before_of(Var x, Axis axis, std::int64_t width, PadMode mode, double value, Where where) {
  switch (mode) {
    case PadMode::reflect:
      return cut(x, axis, width, 0, -1, where);
    case PadMode::replicate:
      return broadcast_to(cut(x, axis, 0, 1, 1, where), resized(x, axis, width), where);
    case PadMode::circular:
      return cut(x, axis, axis.extent - width, kEnd, 1, where);
    default:
      return full(x.tape(), resized(x, axis, width), value, x.dtype(), where);
  }
}

Var after_of(Var x, Axis axis, std::int64_t width, PadMode mode, double value, Where where) {
  const std::int64_t n = axis.extent;
  switch (mode) {
    case PadMode::reflect:
      return cut(x, axis, n - 2, width == n - 1 ? kBegin : n - 2 - width, -1, where);
    case PadMode::replicate:
      return broadcast_to(cut(x, axis, n - 1, n, 1, where), resized(x, axis, width), where);
    case PadMode::circular:
      return cut(x, axis, 0, width, 1, where);
    default:
      return full(x.tape(), resized(x, axis, width), value, x.dtype(), where);
  }
}

// The widest border that an axis can give.
std::int64_t widest(Axis axis, PadMode mode) {
  if (mode == PadMode::reflect) return std::max<std::int64_t>(axis.extent - 1, 0);
  if (mode == PadMode::circular || axis.extent == 0) return axis.extent;
  return kEnd;
}

Var pad_axis(Var x, Axis axis, std::int64_t before, std::int64_t after, PadMode mode, double value,
             Where where) {
  if (before < 0 || after < 0) {
    throw ShapeError("pad: widths " + std::to_string(before) + " and " + std::to_string(after) + " of axis " +
                     std::to_string(axis.k) + " are negative; use slice()");
  }
  const std::int64_t most = widest(axis, mode);
  if (mode != PadMode::constant && (before > most || after > most)) {
    throw ShapeError("pad: axis " + std::to_string(axis.k) + " of " + to_string(x.shape()) +
                     " gives no border wider than " + std::to_string(most) + " in this mode");
  }
  std::vector<Var> parts;
  if (before > 0) parts.push_back(before_of(x, axis, before, mode, value, where));
  parts.push_back(x);
  if (after > 0) parts.push_back(after_of(x, axis, after, mode, value, where));
  return parts.size() == 1 ? x : concat(parts, static_cast<std::int64_t>(axis.k), where);
}

}  // namespace

Var pad(Var x, const Ints& before, const Ints& after, PadMode mode, double value, Where where) {
  // Axis by axis, so that corners follow from edges; zeros are a single copy.
  if (mode == PadMode::constant && value == 0) return pad(x, before, after, where);
  const std::size_t rank = x.shape().rank();
  if (before.size() != rank || after.size() != rank) {
    throw ShapeError("pad: " + std::to_string(before.size()) + " and " + std::to_string(after.size()) +
                     " widths for " + to_string(x.shape()) +
                     "; give one before and one after for every axis");
  }
  return all_or_nothing(x.tape(), [&] {
    Var y = x;
    for (std::size_t k = 0; k < rank; ++k) {
      y = pad_axis(y, {k, x.shape()[k]}, before[k], after[k], mode, value, where);
    }
    return y;
  });
}

}  // namespace backdrop
