#pragma once

#include <cstddef>
#include <cstdint>

namespace hand {

/// y = 1.25 tanh(x e^(-x^2/2) + x) - x where that is positive, else 0, times x: ten operations in one loop.
void chain(const float* x, float* y, std::size_t count);

/// The mean of -log softmax(logits)[r, labels[r]] over rows, and its gradient in the logits [rows, columns].
float softmax_cross_entropy(const float* logits, const std::int64_t* labels, std::size_t rows,
                            std::size_t columns, float* gradient);

/// What a layer norm of [rows, columns] keeps between forwards and backwards, for each row.
struct Normalized {
  float mean, scale;  // scale = 1 / standard deviation
};

void layer_norm(const float* x, const float* weight, const float* bias, std::size_t rows, std::size_t columns,
                float* y, Normalized* kept);
/// From the cotangent g of y those of x, weight and bias.
void layer_norm_backward(const float* x, const float* weight, const float* g, const Normalized* kept,
                         std::size_t rows, std::size_t columns, float* gx, float* gweight, float* gbias);

}  // namespace hand
