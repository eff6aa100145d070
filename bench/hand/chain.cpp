#include <cmath>

#include "hand/kernels.hpp"

namespace hand {

void chain(const float* x, float* y, std::size_t count) {
  for (std::size_t k = 0; k < count; ++k) {
    const float bell = std::exp(-0.5F * x[k] * x[k]);
    const float t = 1.25F * std::tanh(bell * x[k] + x[k]) - x[k];
    y[k] = t > 0 ? t * x[k] : 0;
  }
}

}  // namespace hand
