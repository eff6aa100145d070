#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/core/random.hpp>

/// Random numbers as a pure function of (key, step of the run, element): the same for any number of threads.
/// As tensors of their own they are drawn at once, at step 0.
namespace backdrop {

extern const Op uniform_op;
extern const Op normal_op;

/// y[e] uniform in [low, high), or low where both are equal: low + (high - low) u, with 24 random bits in u
/// for f32 and 53 for f64. Throws ValueError unless low <= high and both are finite, DTypeError for other
/// dtypes.
Var uniform(Tape& tape, const Shape& shape, double low, double high, Key key, DType dtype = DType::f32,
            Where where = Where::here());
Tensor uniform(const Shape& shape, double low, double high, Key key, DType dtype = DType::f32);

/// y[e] = mean + stddev z, z standard normal (Box and Muller). Throws ValueError unless mean and stddev are
/// finite and stddev >= 0, DTypeError unless dtype is f32 or f64.
Var normal(Tape& tape, const Shape& shape, double mean, double stddev, Key key, DType dtype = DType::f32,
           Where where = Where::here());
Tensor normal(const Shape& shape, double mean, double stddev, Key key, DType dtype = DType::f32);

/// First weights of a layer, [fan_in, fan_out], for its Variable. Throw ShapeError unless the rank is 2.
/// uniform in +-sqrt(6 / (fan_in + fan_out)): Glorot and Bengio, AISTATS 2010, for tanh and sigmoid.
Tensor glorot_uniform(const Shape& shape, Key key, DType dtype = DType::f32);
/// normal with stddev sqrt(2 / fan_in): He et al., arXiv:1502.01852, for relu.
Tensor he_normal(const Shape& shape, Key key, DType dtype = DType::f32);

}  // namespace backdrop
