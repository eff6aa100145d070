#include <algorithm>
#include <cmath>

#include "hand/kernels.hpp"

namespace hand {

void layer_norm(const float* x, const float* weight, const float* bias, std::size_t rows, std::size_t columns,
                float* y, Normalized* kept) {
  constexpr float kEpsilon = 1e-5F;
  const auto count = static_cast<float>(columns);
  for (std::size_t r = 0; r < rows; ++r, x += columns, y += columns) {
    float sum = 0, squares = 0;
    for (std::size_t c = 0; c < columns; ++c) sum += x[c];
    const float mean = sum / count;
    for (std::size_t c = 0; c < columns; ++c) squares += (x[c] - mean) * (x[c] - mean);
    const float scale = 1 / std::sqrt(squares / count + kEpsilon);
    for (std::size_t c = 0; c < columns; ++c) y[c] = (x[c] - mean) * scale * weight[c] + bias[c];
    kept[r] = {mean, scale};
  }
}

void layer_norm_backward(const float* x, const float* weight, const float* g, const Normalized* kept,
                         std::size_t rows, std::size_t columns, float* gx, float* gweight, float* gbias) {
  const auto count = static_cast<float>(columns);
  std::fill_n(gweight, columns, 0.F);
  std::fill_n(gbias, columns, 0.F);
  for (std::size_t r = 0; r < rows; ++r, x += columns, g += columns, gx += columns) {
    const auto [mean, scale] = kept[r];
    float sum = 0, product = 0;  // of weight g, and of that times the standardized x
    for (std::size_t c = 0; c < columns; ++c) {
      const float z = (x[c] - mean) * scale;
      gweight[c] += g[c] * z;
      gbias[c] += g[c];
      sum += weight[c] * g[c];
      product += weight[c] * g[c] * z;
    }
    sum /= count;
    product /= count;
    for (std::size_t c = 0; c < columns; ++c) {
      gx[c] = scale * (weight[c] * g[c] - sum - (x[c] - mean) * scale * product);
    }
  }
}

}  // namespace hand
