#pragma once

#include <backdrop/core/op.hpp>

#include "kernels/windows.hpp"

namespace backdrop::kernels {

// Three maps, linear in each of two operands: with x [N, C, S...], w [O, C / groups, K...] and y [N, O,
// P...], each is the sum of products of two of them over the windows of x, for the third. Window p of x
// begins at p * stride - padding, in f32 or f64.

/// y of x and w.
void convolution(const Eval& e, const WindowLayout& layout, std::size_t groups);
/// x of y and w.
void transposed_convolution(const Eval& e, const WindowLayout& layout, std::size_t groups);
/// w of x and y.
void window_product(const Eval& e, const WindowLayout& layout, std::size_t groups);

}  // namespace backdrop::kernels
