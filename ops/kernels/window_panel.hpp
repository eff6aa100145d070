#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// Panels of the matrix of windows [K, windows] of one array: what a convolution multiplies.
namespace backdrop::kernels {

/// Some windows along the last axis, at one place of the kernel: their elements stand in the panel from `at`
/// on. The first `before` and the last `behind` of them lie outside of the array, `inside` between them in
/// it, one every `stride` elements from `from` on. `rows` of them follow one another in the panel as they do
/// in the array, so that they are copied as one.
struct PanelRun {
  std::size_t at, before, inside, behind;
  std::int64_t from;
  std::size_t rows = 1;

  std::size_t width() const { return before + inside + behind; }
  std::size_t length() const { return (rows - 1) * width() + inside; }
  /// Whether `next` is one row more of this, where windows are `stride` elements apart.
  bool goes_on_with(const PanelRun& next, std::int64_t stride) const {
    return stride == 1 && inside > 0 && before == next.before && inside == next.inside &&
           behind == next.behind && next.at == at + rows * width() &&
           next.from == from + static_cast<std::int64_t>(rows * width());
  }
};

/// The panel, with 0 for what is outside.
void copy_windows(std::span<const PanelRun> runs, std::int64_t stride, const float* x, float* panel);
void copy_windows(std::span<const PanelRun> runs, std::int64_t stride, const double* x, double* panel);

/// Adds what stands in the panel to the elements of x that it stands for, in the order of the runs. What
/// stands for nothing is written over.
void add_windows(std::span<const PanelRun> runs, std::int64_t stride, float* panel, float* x);
void add_windows(std::span<const PanelRun> runs, std::int64_t stride, double* panel, double* x);

}  // namespace backdrop::kernels
