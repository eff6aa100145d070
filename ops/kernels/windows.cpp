#include "kernels/windows.hpp"

#include <algorithm>

#include "kernels/elementwise.hpp"
#include "kernels/window_grid.hpp"

namespace backdrop::kernels {

namespace {

constexpr std::size_t kGrain = 32768;  // elements worth handing to a thread

std::size_t grain(std::size_t elements) {
  return std::max<std::size_t>(kGrain / std::max<std::size_t>(elements, 1), 1);
}

// What stands before the axes of the windows.
std::size_t leading(const Shape& whole, std::size_t rank) {
  std::size_t n = 1;
  for (std::size_t k = 0; k + rank < whole.rank(); ++k) n *= static_cast<std::size_t>(whole[k]);
  return n;
}

// Of [l..., extents...] cut into [l..., kernel..., count...].
WindowGrid grid_of(const Shape& whole, const Shape& cut, const WindowLayout& layout) {
  const std::size_t rank = layout.stride.size();
  return {whole.extents().last(rank), cut.extents().last(2 * rank).first(rank), cut.extents().last(rank),
          layout};
}

// to[o] = the element of window o of the run, `fill` for those outside.
template <class T>
void copy_run(const WindowRun& run, std::int64_t stride, const T* x, T fill, T* to) {
  std::fill(to, to + run.begin, fill);
  if (stride == 1) {
    std::copy_n(x + run.from, run.end - run.begin, to + run.begin);
  } else {
    for (std::int64_t o = run.begin; o < run.end; ++o) to[o] = x[run.from + (o - run.begin) * stride];
  }
  std::fill(to + run.end, to + run.count, fill);
}

// Adds to the elements of the windows of the run what stands in `from` for each.
template <class T>
void add_run(const WindowRun& run, std::int64_t stride, const T* from, T* y) {
  from += run.begin;
  y += run.from;
  const std::int64_t n = run.end - run.begin;
  if (stride == 1) {
    for (std::int64_t o = 0; o < n; ++o) y[o] += from[o];
  } else {
    for (std::int64_t o = 0; o < n; ++o) y[o * stride] += from[o];
  }
}

template <class T>
void cut_out(const Eval& e, const WindowGrid& grid, T fill) {
  const std::size_t size = grid.count();
  if (size == 0) return;
  e.workers.for_each(
      leading(*e.x[0].shape, grid.rank) * grid.kernel, grain(size), [&](std::size_t begin, std::size_t end) {
        for (std::size_t piece = begin; piece < end; ++piece) {
          const T* x = e.x[0].as<const T>() + piece / grid.kernel * grid.inside;
          T* y = e.y.as<T>() + piece * size;
          for_each_row(
              grid, piece % grid.kernel, WindowPart(grid),
              [&](std::size_t at, const WindowRun& run) { copy_run(run, grid.stride(), x, fill, y + at); });
        }
      });
}

// What is added to an element is added by one thread, in one order.
template <class T>
void add_up(const Eval& e, const WindowGrid& grid) {
  const std::size_t size = grid.count();
  if (grid.inside == 0) return;
  e.workers.for_each(leading(*e.y.shape, grid.rank), grain(size * grid.kernel + grid.inside),
                     [&](std::size_t begin, std::size_t end) {
                       for (std::size_t piece = begin; piece < end; ++piece) {
                         T* y = e.y.as<T>() + piece * grid.inside;
                         std::fill(y, y + grid.inside, T{0});
                         if (size == 0) continue;
                         for (std::size_t k = 0; k < grid.kernel; ++k) {
                           const T* x = e.x[0].as<const T>() + (piece * grid.kernel + k) * size;
                           for_each_row(grid, k, WindowPart(grid), [&](std::size_t at, const WindowRun& run) {
                             add_run(run, grid.stride(), x + at, y);
                           });
                         }
                       }
                     });
}

}  // namespace

void windows(const Eval& e, const WindowLayout& layout, double fill) {
  const WindowGrid grid = grid_of(*e.x[0].shape, *e.y.shape, layout);
  with_float(e.y.dtype, [&]<class T>(T) { cut_out<T>(e, grid, static_cast<T>(fill)); });
}

void unwindows(const Eval& e, const WindowLayout& layout) {
  const WindowGrid grid = grid_of(*e.y.shape, *e.x[0].shape, layout);
  with_float(e.y.dtype, [&]<class T>(T) { add_up<T>(e, grid); });
}

}  // namespace backdrop::kernels
