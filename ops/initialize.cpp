#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/random.hpp>
#include <cmath>
#include <string>

namespace backdrop {

namespace {

Fans matrix_fans(const char* op, const Shape& shape) {
  if (shape.rank() == 2) return {shape[0], shape[1]};
  throw ShapeError(std::string(op) + ": takes [fan_in, fan_out], not " + to_string(shape) +
                   "; give fans beside any other shape");
}

// Glorot wants the variance 2 / (in + out), He 2 / in; uniform in +-a has the variance a^2 / 3. A layer
// without inputs gets finite ones.
double root_over(double numerator, double fans) { return std::sqrt(numerator / std::max(fans, 1.0)); }
double sum_of(Fans fans) { return static_cast<double>(fans.in) + static_cast<double>(fans.out); }

Tensor uniform_within(double limit, const Shape& shape, Key key, DType dtype) {
  return uniform(shape, -limit, limit, key, dtype);
}

}  // namespace

Fans dense_fans(const Shape& shape) { return matrix_fans("dense_fans", shape); }

Fans conv_fans(const Shape& shape) {
  if (shape.rank() < 2) throw ShapeError("conv_fans: takes [out, in, kernel...], not " + to_string(shape));
  std::int64_t kernel = 1;
  for (std::size_t k = 2; k < shape.rank(); ++k) kernel *= shape[k];
  return {shape[1] * kernel, shape[0] * kernel};
}

Tensor glorot_uniform(const Shape& shape, Fans fans, Key key, DType dtype) {
  return uniform_within(root_over(6, sum_of(fans)), shape, key, dtype);
}
Tensor glorot_uniform(const Shape& shape, Key key, DType dtype) {
  return glorot_uniform(shape, matrix_fans("glorot_uniform", shape), key, dtype);
}

Tensor glorot_normal(const Shape& shape, Fans fans, Key key, DType dtype) {
  return normal(shape, 0, root_over(2, sum_of(fans)), key, dtype);
}
Tensor glorot_normal(const Shape& shape, Key key, DType dtype) {
  return glorot_normal(shape, matrix_fans("glorot_normal", shape), key, dtype);
}

Tensor he_uniform(const Shape& shape, Fans fans, Key key, DType dtype) {
  return uniform_within(root_over(6, static_cast<double>(fans.in)), shape, key, dtype);
}
Tensor he_uniform(const Shape& shape, Key key, DType dtype) {
  return he_uniform(shape, matrix_fans("he_uniform", shape), key, dtype);
}

Tensor he_normal(const Shape& shape, Fans fans, Key key, DType dtype) {
  return normal(shape, 0, root_over(2, static_cast<double>(fans.in)), key, dtype);
}
Tensor he_normal(const Shape& shape, Key key, DType dtype) {
  return he_normal(shape, matrix_fans("he_normal", shape), key, dtype);
}

}  // namespace backdrop
