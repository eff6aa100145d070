#include "kernels/windows.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/elementwise.hpp"

namespace backdrop::kernels {

namespace {

constexpr std::size_t kGrain = 32768;  // elements worth handing to a thread

struct Axis {
  std::int64_t extent, kernel, count, stride, padding, dilation;

  std::int64_t first(std::int64_t k) const { return k * dilation - padding; }
};

// `whole` is [l..., extents...], `cut` is [l..., kernel..., count...].
struct Grid {
  std::array<Axis, kMaxRank> axes;
  std::size_t rank = 0;
  std::size_t leading = 1, inside = 1, kernel = 1, rows = 1;  // rows: windows without the last axis
  std::int64_t row = 1;                                       // windows along the last axis

  Grid(const Shape& whole, const Shape& cut, const WindowLayout& layout) {
    rank = layout.stride.size();
    const std::size_t before = whole.rank() - rank;
    for (std::size_t k = 0; k < before; ++k) leading *= static_cast<std::size_t>(whole[k]);
    for (std::size_t k = 0; k < rank; ++k) {
      axes[k] = {whole[before + k], cut[before + k],   cut[before + rank + k],
                 layout.stride[k],  layout.padding[k], layout.dilation[k]};
      inside *= static_cast<std::size_t>(axes[k].extent);
      kernel *= static_cast<std::size_t>(axes[k].kernel);
      if (k + 1 < rank) rows *= static_cast<std::size_t>(axes[k].count);
    }
    row = axes[rank - 1].count;
  }
};

// A run of windows along the last axis: [begin, end) of [0, count) lie inside, the first of them at `from`.
struct Run {
  std::int64_t begin, end, from;
};
Run run_along(const Axis& axis, std::int64_t first) {
  const auto reach = [&](std::int64_t position) {  // windows that begin before `position`
    if (first >= position) return std::int64_t{0};
    return std::min(axis.count, (position - first + axis.stride - 1) / axis.stride);
  };
  const std::int64_t begin = reach(0), end = std::max(begin, reach(axis.extent));
  return {begin, end, first + begin * axis.stride};
}

// Calls f(row, run, inside) for each row of the windows at kernel position number `k`: the first element of
// the row among all windows, and what of it lies inside, with `from` counted over all axes.
template <class F>
void for_each_row(const Grid& grid, std::size_t k, F&& f) {
  std::array<std::int64_t, kMaxRank> first, at{};
  for (std::size_t a = grid.rank; a-- > 0;) {
    const auto extent = static_cast<std::size_t>(grid.axes[a].kernel);
    first[a] = grid.axes[a].first(static_cast<std::int64_t>(k % extent));
    k /= extent;
  }
  const std::size_t last = grid.rank - 1;
  const Run along = run_along(grid.axes[last], first[last]);
  for (std::size_t row = 0; row < grid.rows; ++row) {
    std::int64_t base = 0;
    bool inside = true;
    for (std::size_t a = 0; a < last; ++a) {
      const std::int64_t position = first[a] + at[a] * grid.axes[a].stride;
      inside = inside && position >= 0 && position < grid.axes[a].extent;
      base = inside ? base * grid.axes[a].extent + position : 0;
    }
    Run run = inside ? along : Run{0, 0, 0};
    run.from += base * grid.axes[last].extent;
    f(static_cast<std::int64_t>(row) * grid.row, run);
    for (std::size_t a = last; a-- > 0;) {
      if (++at[a] < grid.axes[a].count) break;
      at[a] = 0;
    }
  }
}

std::size_t grain(std::size_t elements) {
  return std::max<std::size_t>(kGrain / std::max<std::size_t>(elements, 1), 1);
}

template <class T>
void cut_out(const Eval& e, const Grid& grid, T fill) {
  const std::size_t size = grid.rows * static_cast<std::size_t>(grid.row);
  const std::int64_t stride = grid.axes[grid.rank - 1].stride;
  if (size == 0) return;
  e.workers.for_each(grid.leading * grid.kernel, grain(size), [&](std::size_t begin, std::size_t end) {
    for (std::size_t piece = begin; piece < end; ++piece) {
      const T* x = e.x[0].as<const T>() + piece / grid.kernel * grid.inside;
      T* y = e.y.as<T>() + piece * size;
      for_each_row(grid, piece % grid.kernel, [&](std::int64_t row, const Run& run) {
        T* to = y + row;
        std::fill(to, to + run.begin, fill);
        if (stride == 1) {
          std::copy_n(x + run.from, run.end - run.begin, to + run.begin);
        } else {
          for (std::int64_t o = run.begin; o < run.end; ++o) {
            to[o] = x[run.from + (o - run.begin) * stride];
          }
        }
        std::fill(to + run.end, to + grid.row, fill);
      });
    }
  });
}

// What is added to an element is added by one thread, in one order.
template <class T>
void add_up(const Eval& e, const Grid& grid) {
  const std::size_t size = grid.rows * static_cast<std::size_t>(grid.row);
  const std::int64_t stride = grid.axes[grid.rank - 1].stride;
  if (grid.inside == 0) return;
  e.workers.for_each(grid.leading, grain(size * grid.kernel + grid.inside),
                     [&](std::size_t begin, std::size_t end) {
                       for (std::size_t piece = begin; piece < end; ++piece) {
                         T* y = e.y.as<T>() + piece * grid.inside;
                         std::fill(y, y + grid.inside, T{0});
                         if (size == 0) continue;
                         for (std::size_t k = 0; k < grid.kernel; ++k) {
                           const T* x = e.x[0].as<const T>() + (piece * grid.kernel + k) * size;
                           for_each_row(grid, k, [&](std::int64_t row, const Run& run) {
                             const T* from = x + row + run.begin;
                             T* to = y + run.from;
                             const std::int64_t n = run.end - run.begin;
                             if (stride == 1) {
                               for (std::int64_t o = 0; o < n; ++o) to[o] += from[o];
                             } else {
                               for (std::int64_t o = 0; o < n; ++o) to[o * stride] += from[o];
                             }
                           });
                         }
                       }
                     });
}

}  // namespace

void windows(const Eval& e, const WindowLayout& layout, double fill) {
  const Grid grid(*e.x[0].shape, *e.y.shape, layout);
  with_float(e.y.dtype, [&]<class T>(T) { cut_out<T>(e, grid, static_cast<T>(fill)); });
}

void unwindows(const Eval& e, const WindowLayout& layout) {
  const Grid grid(*e.y.shape, *e.x[0].shape, layout);
  with_float(e.y.dtype, [&]<class T>(T) { add_up<T>(e, grid); });
}

}  // namespace backdrop::kernels
