#pragma once

#include <algorithm>
#include <array>
#include <backdrop/core/shape.hpp>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/windows.hpp"

/// Where the elements of windows come from, for kernels that copy them.
namespace backdrop::kernels {

struct WindowAxis {
  std::int64_t extent, kernel, count, stride, padding, dilation;

  std::int64_t first(std::int64_t k) const { return k * dilation - padding; }
};

/// Windows over all axes of an array. A row of windows is along the last axis.
struct WindowGrid {
  using Ints = std::span<const std::int64_t>;

  std::array<WindowAxis, kMaxRank> axes;
  std::size_t rank;
  std::size_t inside = 1, kernel = 1, rows = 1;  // elements of the array and of a window; rows of windows
  std::size_t row;                               // windows in each

  WindowGrid(Ints extents, Ints window, Ints counts, const WindowLayout& layout) : rank(extents.size()) {
    for (std::size_t k = 0; k < rank; ++k) {
      axes[k] = {extents[k], window[k], counts[k], layout.stride[k], layout.padding[k], layout.dilation[k]};
      inside *= static_cast<std::size_t>(axes[k].extent);
      kernel *= static_cast<std::size_t>(axes[k].kernel);
      if (k + 1 < rank) rows *= static_cast<std::size_t>(axes[k].count);
    }
    row = static_cast<std::size_t>(axes[rank - 1].count);
  }

  std::size_t count() const { return rows * row; }
  std::int64_t stride() const { return axes[rank - 1].stride; }  // along a row
};

/// Of all windows those in the columns [first_column, last_column) of the rows [first_row, last_row).
struct WindowPart {
  std::size_t first_row, last_row, first_column, last_column;

  explicit WindowPart(const WindowGrid& grid) : WindowPart(0, grid.rows, 0, grid.row) {}
  WindowPart(std::size_t row, std::size_t end_row, std::size_t column, std::size_t end_column)
      : first_row(row), last_row(end_row), first_column(column), last_column(end_column) {}

  bool operator==(const WindowPart&) const = default;
  std::size_t columns() const { return last_column - first_column; }
  std::size_t count() const { return (last_row - first_row) * columns(); }
};

/// A run of windows along the last axis: [begin, end) of [0, count) lie inside, the first of them at `from`.
struct WindowRun {
  std::int64_t begin, end, count, from;
};
inline WindowRun run_along(const WindowAxis& axis, std::int64_t first, std::int64_t count) {
  const auto reach = [&](std::int64_t position) {  // windows that begin before `position`
    if (first >= position) return std::int64_t{0};
    return std::min(count, (position - first + axis.stride - 1) / axis.stride);
  };
  const std::int64_t begin = reach(0), end = std::max(begin, reach(axis.extent));
  return {begin, end, count, first + begin * axis.stride};
}

/// Calls f(at, run) for each row of a part of the windows, at kernel position number `k`: the first element
/// of the row among those of the part, and what of it lies inside, with `from` counted over all axes.
template <class F>
void for_each_row(const WindowGrid& grid, std::size_t k, const WindowPart& part, F&& f) {
  std::array<std::int64_t, kMaxRank> first, at{};
  for (std::size_t a = grid.rank; a-- > 0;) {
    const auto extent = static_cast<std::size_t>(grid.axes[a].kernel);
    first[a] = grid.axes[a].first(static_cast<std::int64_t>(k % extent));
    k /= extent;
  }
  const std::size_t last = grid.rank - 1;
  const WindowAxis& inner = grid.axes[last];
  const WindowRun along =
      run_along(inner, first[last] + static_cast<std::int64_t>(part.first_column) * inner.stride,
                static_cast<std::int64_t>(part.columns()));
  std::size_t before = part.first_row;
  for (std::size_t a = last; a-- > 0;) {
    const auto count = static_cast<std::size_t>(grid.axes[a].count);
    at[a] = static_cast<std::int64_t>(before % count);
    before /= count;
  }
  for (std::size_t row = part.first_row; row < part.last_row; ++row) {
    std::int64_t base = 0;
    bool inside = true;
    for (std::size_t a = 0; a < last; ++a) {
      const std::int64_t position = first[a] + at[a] * grid.axes[a].stride;
      inside = inside && position >= 0 && position < grid.axes[a].extent;
      base = inside ? base * grid.axes[a].extent + position : 0;
    }
    WindowRun run = inside ? along : WindowRun{0, 0, along.count, 0};
    run.from += base * inner.extent;
    f((row - part.first_row) * part.columns(), run);
    for (std::size_t a = last; a-- > 0;) {
      if (++at[a] < grid.axes[a].count) break;
      at[a] = 0;
    }
  }
}

}  // namespace backdrop::kernels
