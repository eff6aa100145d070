#pragma once

#include <backdrop/core/op.hpp>

/// Rows along the last `axes` axes brought to mean 0 and deviation 1. Sums are taken in f64.
namespace backdrop::kernels {

/// y = (x - mean) / sqrt(var + eps) of every row
void layer_norm(const Eval& e, std::size_t axes, double eps);
/// y = (v - mean(v) - z mean(v z)) / sqrt(var(x) + eps) with z = layer_norm(x), for x (input 0) and v
/// (input 1)
void layer_norm_product(const Eval& e, std::size_t axes, double eps);

}  // namespace backdrop::kernels
