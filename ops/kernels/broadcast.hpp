#pragma once

#include <backdrop/core/op.hpp>

namespace backdrop::kernels {

/// y = x repeated to the shape of y; any dtype.
void broadcast(const Eval& e);
/// y = x summed down to the shape of y, which broadcasts to x's.
void sum_to(const Eval& e);
/// y = x summed over `axes` (sorted, unique) of x.
void sum_axes(const Eval& e, std::span<const std::int64_t> axes);

}  // namespace backdrop::kernels
