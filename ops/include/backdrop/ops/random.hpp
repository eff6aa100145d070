#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/core/random.hpp>

/// Random numbers as a pure function of (key, step of the run, element): the same for any number of threads.
/// As tensors of their own they are drawn at once, at step 0.
namespace backdrop {

extern const Op uniform_op;
extern const Op normal_op;

/// y[e] uniform in [low, high), or low where both are equal: low + (high - low) u, with 24 random bits in u
/// for f32 and 53 for f64. Throws ValueError unless low <= high and both, and what lies between, are finite
/// in the dtype, DTypeError for other dtypes.
Var uniform(Tape& tape, const Shape& shape, double low, double high, Key key, DType dtype = DType::f32,
            Where where = Where::here());
Tensor uniform(const Shape& shape, double low, double high, Key key, DType dtype = DType::f32);

/// y[e] = mean + stddev z, z standard normal (Box and Muller). Throws ValueError unless mean and stddev are
/// finite in the dtype and stddev >= 0, DTypeError unless dtype is f32 or f64.
Var normal(Tape& tape, const Shape& shape, double mean, double stddev, Key key, DType dtype = DType::f32,
           Where where = Where::here());
Tensor normal(const Shape& shape, double mean, double stddev, Key key, DType dtype = DType::f32);

/// How many numbers meet in an output of a layer, and to how many outputs an input goes.
struct Fans {
  std::int64_t in, out;
};
/// Of weights [in, out], as they stand on the right in matmul(x, w). Throws ShapeError unless the rank is 2.
Fans dense_fans(const Shape& shape);
/// Of a convolution's weights [out, in / groups, kernel...], and of [out, in]: an extent times the elements
/// of the kernel, as in PyTorch. Throws ShapeError unless the rank is 2 or more.
Fans conv_fans(const Shape& shape);

/// First weights of a layer, for its Variable: of any shape with its fans, or [in, out]. f32 or f64.
/// Glorot and Bengio, AISTATS 2010, for tanh and sigmoid: uniform in +-sqrt(6 / (in + out)), or normal with
/// stddev sqrt(2 / (in + out)).
Tensor glorot_uniform(const Shape& shape, Fans fans, Key key, DType dtype = DType::f32);
Tensor glorot_uniform(const Shape& shape, Key key, DType dtype = DType::f32);
Tensor glorot_normal(const Shape& shape, Fans fans, Key key, DType dtype = DType::f32);
Tensor glorot_normal(const Shape& shape, Key key, DType dtype = DType::f32);
/// He et al., arXiv:1502.01852, for relu: uniform in +-sqrt(6 / in), or normal with stddev sqrt(2 / in).
Tensor he_uniform(const Shape& shape, Fans fans, Key key, DType dtype = DType::f32);
Tensor he_uniform(const Shape& shape, Key key, DType dtype = DType::f32);
Tensor he_normal(const Shape& shape, Fans fans, Key key, DType dtype = DType::f32);
Tensor he_normal(const Shape& shape, Key key, DType dtype = DType::f32);

}  // namespace backdrop
