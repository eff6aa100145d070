#include <algorithm>
#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>
#include <vector>

namespace backdrop {

namespace {

using Ints = std::vector<std::int64_t>;

Ints extents_of(Var x) { return {x.shape().begin(), x.shape().end()}; }

// Positions first, first + step, ... before `stop` along axis k.
Var along(Var x, std::size_t k, std::int64_t first, std::int64_t stop, std::int64_t step, Where where) {
  Ints starts(k + 1, 0), stops(k + 1, kEnd), steps(k + 1, 1);
  starts[k] = first;
  stops[k] = stop;
  steps[k] = step;
  return slice(x, starts, stops, steps, where);
}

// [before..., n, after...] as [before..., a, b, after...], where a or b is new and the other is n.
Var with_axis(Var x, std::size_t k, std::int64_t count, Where where) {
  Ints extents = extents_of(x);
  extents.insert(extents.begin() + static_cast<std::ptrdiff_t>(k), count);
  return broadcast_to(unsqueeze(x, static_cast<std::int64_t>(k), where), Shape(std::move(extents)), where);
}
Var joined(Var x, std::size_t k, Where where) {
  return flatten(x, static_cast<std::int64_t>(k), static_cast<std::int64_t>(k) + 1, where);
}

[[noreturn]] void throw_not_divisible(const char* op, Var x, std::int64_t factor, const char* what) {
  throw ShapeError(std::string(op) + ": " + what + " of " + to_string(x.shape()) +
                   " do not divide by the factor " + std::to_string(factor));
}

}  // namespace

Var flip(Var x, const std::vector<std::int64_t>& axes, Where where) {
  const std::size_t rank = x.shape().rank();
  if (rank == 0) return x;
  Ints starts(rank, 0), stops(rank, kEnd), steps(rank, 1);
  for (std::int64_t axis : normalize_axes("flip", axes, rank)) {
    const auto k = static_cast<std::size_t>(axis);
    starts[k] = kEnd;
    stops[k] = kBegin;
    steps[k] = -1;
  }
  return slice(x, starts, stops, steps, where);
}

Var roll(Var x, const std::vector<std::int64_t>& shifts, const std::vector<std::int64_t>& axes, Where where) {
  if (shifts.size() != axes.size()) {
    throw ShapeError("roll: " + std::to_string(shifts.size()) + " shifts along " +
                     std::to_string(axes.size()) + " axes; give one for each");
  }
  return all_or_nothing(x.tape(), [&] {
    Var y = x;
    for (std::size_t j = 0; j < axes.size(); ++j) {
      const std::size_t k = normalize_axis("roll", axes[j], x.shape().rank());
      const std::int64_t n = x.shape()[k];
      const std::int64_t shift = n == 0 ? 0 : (shifts[j] % n + n) % n;
      if (shift == 0) continue;
      y = concat({along(y, k, n - shift, n, 1, where), along(y, k, 0, n - shift, 1, where)},
                 static_cast<std::int64_t>(k), where);
    }
    return y;
  });
}

Var tile(Var x, const std::vector<std::int64_t>& counts, Where where) {
  return all_or_nothing(x.tape(), [&] {
    Var y = x;
    while (y.shape().rank() < counts.size()) y = unsqueeze(y, 0, where);
    const std::size_t lead = y.shape().rank() - counts.size();
    for (std::size_t j = 0; j < counts.size(); ++j) {
      if (counts[j] < 0) throw ShapeError("tile: a count of " + std::to_string(counts[j]) + " is negative");
      if (counts[j] != 1) y = joined(with_axis(y, lead + j, counts[j], where), lead + j, where);
    }
    return y;
  });
}

Var repeat(Var x, const std::vector<std::int64_t>& counts, Where where) {
  if (counts.size() < x.shape().rank()) {
    throw ShapeError("repeat: " + std::to_string(counts.size()) + " counts for the axes of " +
                     to_string(x.shape()) + "; give one for each, or use tile()");
  }
  return tile(x, counts, where);
}

Var repeat_interleave(Var x, std::int64_t count, std::int64_t axis, Where where) {
  const std::size_t k = normalize_axis("repeat_interleave", axis, x.shape().rank());
  if (count < 0) throw ShapeError("repeat_interleave: a count of " + std::to_string(count) + " is negative");
  return all_or_nothing(x.tape(), [&] { return joined(with_axis(x, k + 1, count, where), k, where); });
}

std::vector<Var> unbind(Var x, std::int64_t axis, Where where) {
  const std::int64_t n = x.shape()[normalize_axis("unbind", axis, x.shape().rank())];
  std::vector<Var> out;
  out.reserve(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k < n; ++k) out.push_back(select(x, axis, k, where));
  return out;
}

// Row-major, the diagonal of a matrix is every (columns + 1)-th element.
Var diagonal(Var x, std::int64_t offset, std::int64_t axis1, std::int64_t axis2, Where where) {
  const std::size_t rank = x.shape().rank();
  const std::size_t row = normalize_axis("diagonal", axis1, rank),
                    column = normalize_axis("diagonal", axis2, rank);
  if (row == column)
    throw ShapeError("diagonal: axes " + std::to_string(axis1) + " and " + std::to_string(axis2) +
                     " are one; name two");
  const std::int64_t rows = x.shape()[row], columns = x.shape()[column];
  const std::int64_t down = std::clamp<std::int64_t>(offset, -rows, 0),
                     right = std::clamp<std::int64_t>(offset, 0, columns);
  const std::int64_t count = std::min(rows + down, columns - right);
  return all_or_nothing(x.tape(), [&] {
    Ints order;
    for (std::size_t k = 0; k < rank; ++k) {
      if (k != row && k != column) order.push_back(static_cast<std::int64_t>(k));
    }
    order.push_back(static_cast<std::int64_t>(row));
    order.push_back(static_cast<std::int64_t>(column));
    const Var lines = flatten(transpose(x, order, where), -2, -1, where);
    const std::int64_t first = -down * columns + right;
    return along(lines, rank - 2, first, first + count * (columns + 1), columns + 1, where);
  });
}

Var pixel_shuffle(Var x, std::int64_t factor, Where where) {
  const std::size_t rank = x.shape().rank();
  const bool fits = rank >= 3 && factor > 0 && factor < (std::int64_t{1} << 31) &&
                    x.shape()[rank - 3] % (factor * factor) == 0;
  if (!fits) throw_not_divisible("pixel_shuffle", x, factor, "the channels");
  return all_or_nothing(x.tape(), [&] {
    const Ints extents = extents_of(x);
    const std::int64_t height = extents[rank - 2], width = extents[rank - 1];
    Ints split(extents.begin(), extents.end() - 3), order, merged = split;
    for (std::size_t k = 0; k < rank - 3; ++k) order.push_back(static_cast<std::int64_t>(k));
    const std::int64_t channels = extents[rank - 3] / (factor * factor);
    split.insert(split.end(), {channels, factor, factor, height, width});
    for (std::int64_t k : {0, 3, 1, 4, 2}) order.push_back(static_cast<std::int64_t>(rank) - 3 + k);
    merged.insert(merged.end(), {channels, height * factor, width * factor});
    return reshape(transpose(reshape(x, split, where), order, where), merged, where);
  });
}

Var pixel_unshuffle(Var x, std::int64_t factor, Where where) {
  const std::size_t rank = x.shape().rank();
  const bool fits =
      rank >= 3 && factor > 0 && x.shape()[rank - 2] % factor == 0 && x.shape()[rank - 1] % factor == 0;
  if (!fits) throw_not_divisible("pixel_unshuffle", x, factor, "height and width");
  return all_or_nothing(x.tape(), [&] {
    const Ints extents = extents_of(x);
    const std::int64_t height = extents[rank - 2] / factor, width = extents[rank - 1] / factor;
    Ints split(extents.begin(), extents.end() - 2), order, merged(extents.begin(), extents.end() - 3);
    for (std::size_t k = 0; k < rank - 3; ++k) order.push_back(static_cast<std::int64_t>(k));
    split.insert(split.end(), {height, factor, width, factor});
    for (std::int64_t k : {0, 2, 4, 1, 3}) order.push_back(static_cast<std::int64_t>(rank) - 3 + k);
    merged.insert(merged.end(), {extents[rank - 3] * factor * factor, height, width});
    return reshape(transpose(reshape(x, split, where), order, where), merged, where);
  });
}

}  // namespace backdrop
