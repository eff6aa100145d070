#include <algorithm>
#include <cmath>

#include "hand/kernels.hpp"

namespace hand {

float softmax_cross_entropy(const float* logits, const std::int64_t* labels, std::size_t rows,
                            std::size_t columns, float* gradient) {
  const auto count = static_cast<float>(rows);
  float loss = 0;
  for (std::size_t r = 0; r < rows; ++r, logits += columns, gradient += columns) {
    float largest = logits[0], sum = 0;
    for (std::size_t c = 1; c < columns; ++c) largest = std::max(largest, logits[c]);
    for (std::size_t c = 0; c < columns; ++c) {
      gradient[c] = std::exp(logits[c] - largest);
      sum += gradient[c];
    }
    const float factor = 1 / (sum * count);
    for (std::size_t c = 0; c < columns; ++c) gradient[c] *= factor;
    gradient[labels[r]] -= 1 / count;
    loss += std::log(sum) + largest - logits[labels[r]];
  }
  return loss / count;
}

}  // namespace hand
