#pragma once

#include <backdrop/core/op.hpp>
#include <span>

namespace backdrop::kernels {

/// Where windows over the last axes of an array lie: along each of them, element k of window o is at
/// o * stride - padding + k * dilation.
struct WindowLayout {
  std::span<const std::int64_t> stride, padding, dilation;
};

/// y[l, k..., o...] = x[l, o * stride - padding + k * dilation], and `fill` outside x.
void windows(const Eval& e, const WindowLayout& layout, double fill);

/// The transpose: y = 0; y[l, o * stride - padding + k * dilation] += x[l, k..., o...] in the order of k and
/// o, for what lies inside y.
void unwindows(const Eval& e, const WindowLayout& layout);

}  // namespace backdrop::kernels
