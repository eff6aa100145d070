#pragma once

#include <backdrop/core/op.hpp>
#include <initializer_list>
#include <span>

/// Bringing values to mean 0 and deviation 1, or vectors to length 1. f32 or f64 (DTypeError otherwise). A
/// variance of 0 gives 0 and finite derivatives, as long as eps > 0; with eps = 0 it gives NaN.
namespace backdrop {

extern const Op standardize_op;
extern const Op layer_norm_op;
extern const Op layer_norm_product_op;
extern const Op batch_norm_op;
extern const Op batch_norm_given_op;
extern const Op group_norm_op;
extern const Op rms_norm_op;
extern const Op normalize_op;
extern const Op cosine_similarity_op;

/// y = (x - mean) / sqrt(var + eps), mean and (biased) var over `axes`: negative ones count from the last,
/// none = all. Throws ShapeError when they are empty or no axes of x.
Var standardize(Var x, std::span<const std::int64_t> axes, double eps = 1e-5, Where where = Where::here());
inline Var standardize(Var x, std::initializer_list<std::int64_t> axes, double eps = 1e-5,
                       Where where = Where::here()) {
  return standardize(x, std::span<const std::int64_t>(axes.begin(), axes.size()), eps, where);
}

/// What follows the division, y * weight + bias, where given; and what is added to the variance.
struct NormOptions {
  Var weight{};
  Var bias{};
  double eps = 1e-5;
};

/// Standardizes over the last axes, which have the extents `normalized`; so have weight and bias. Throws
/// ShapeError. Ba et al., arXiv:1607.06450.
Var layer_norm(Var x, const Shape& normalized, const NormOptions& options = {}, Where where = Where::here());

/// y = J v with the Jacobian J of layer_norm at x, which is symmetric: (v - mean(v) - z mean(v z)) /
/// sqrt(var(x) + eps), z = layer_norm(x). What layer_norm's derivatives are made of.
Var layer_norm_product(Var x, Var v, const Shape& normalized, double eps = 1e-5, Where where = Where::here());

/// y = x / sqrt(mean of x^2 over the last axes + eps), then weight and bias as in layer_norm. Zhang and
/// Sennrich, arXiv:1910.07467.
Var rms_norm(Var x, const Shape& normalized, const NormOptions& options = {}, Where where = Where::here());

/// Standardizes each channel, axis 1 of x [N, C, ...], over all other axes: with the statistics of the batch,
/// as in training. weight and bias have shape [C]. Throws ShapeError. Ioffe and Szegedy, arXiv:1502.03167.
Var batch_norm(Var x, const NormOptions& options = {}, Where where = Where::here());

/// The same with statistics given, both [C], as at inference: y = (x - mean) / sqrt(variance + eps).
Var batch_norm(Var x, Var mean, Var variance, const NormOptions& options = {}, Where where = Where::here());

/// Means and variances of channels, both [C].
struct Statistics {
  Var mean;
  Var variance;
};
/// What a run of batch_norm on x makes of running statistics, for .updates: (1 - momentum) running + momentum
/// batch, the variance of the batch taken with n - 1, as in PyTorch. Constants to derivatives. Throws
/// ValueError when a channel has one element.
Statistics running_statistics(Var x, Statistics running, double momentum = 0.1, Where where = Where::here());

/// Standardizes each of `groups` equal groups of channels of x [N, C, ...], each sample by itself; weight and
/// bias have shape [C]. Throws ShapeError unless groups divides C. Wu and He, arXiv:1803.08494.
Var group_norm(Var x, std::int64_t groups, const NormOptions& options = {}, Where where = Where::here());

/// group_norm with a group for each channel. Ulyanov et al., arXiv:1607.08022.
Var instance_norm(Var x, const NormOptions& options = {}, Where where = Where::here());

/// y = x / max(length of x along axis, eps).
Var normalize(Var x, std::int64_t axis = 1, double eps = 1e-12, Where where = Where::here());

/// The dot product of a and b along axis, each divided by max(its length, eps). Broadcasts; throws
/// ShapeError.
Var cosine_similarity(Var a, Var b, std::int64_t axis = 1, double eps = 1e-8, Where where = Where::here());

/// The length of a - b + eps along the last axis; eps keeps away from where it has no derivative.
Var pairwise_distance(Var a, Var b, double eps = 1e-6, Where where = Where::here());

}  // namespace backdrop
