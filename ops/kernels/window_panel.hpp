#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

/// Panels of the matrix of windows [K, windows] of one array: what a convolution multiplies.
namespace backdrop::kernels {

/// Some windows along the last axis, at one place of the kernel: their elements stand in the panel from `at`
/// on. The first `before` and the last `behind` of them lie outside of the array, `inside` between them in
/// it, one every `stride` elements from `from` on.
struct PanelRun {
  std::size_t at, before, inside, behind;
  std::int64_t from;
};

/// The panel, with 0 for what is outside.
void copy_windows(std::span<const PanelRun> runs, std::int64_t stride, const float* x, float* panel);
void copy_windows(std::span<const PanelRun> runs, std::int64_t stride, const double* x, double* panel);

/// Adds what stands in the panel to the elements of x that it stands for, in the order of the runs.
void add_windows(std::span<const PanelRun> runs, std::int64_t stride, const float* panel, float* x);
void add_windows(std::span<const PanelRun> runs, std::int64_t stride, const double* panel, double* x);

}  // namespace backdrop::kernels
