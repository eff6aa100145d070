#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/normalization.hpp>
#include <backdrop/ops/reduce.hpp>
#include <limits>
#include <string>
#include <vector>

#include "parts/infer.hpp"
#include "parts/operands.hpp"
#include "parts/reduced.hpp"

namespace backdrop {

using reduced::axes;

namespace {

constexpr auto eps = attr::real("eps").between(0, std::numeric_limits<double>::max());
constexpr auto groups = attr::integer("groups");

[[noreturn]] void throw_nothing_to_normalize(const Call& c) {
  throw ShapeError(std::string(c.name()) + ": nothing to take a mean of in " + to_string(c.shape(0)));
}

Type infer_standardize(const Call& c) {
  const Type type = infer::like_first(c);
  require_canonical_axes(c, c[axes]);
  if (reduced::terms(c) == 0 || (c[axes].empty() && c.shape(0).rank() > 0)) throw_nothing_to_normalize(c);
  return type;
}

// J = (I - 1 1'/n - y y'/n) / sqrt(var + eps), which is symmetric: the rule for both modes.
Var standardize_product(const Call& c, Var v) {
  const auto average = [&](Var x) { return mean(x, c[axes], true); };
  const Var centred = sub(v, average(v));
  const Var rest = sub(centred, mul(c.y, average(mul(v, c.y))));
  return mul(rest, rsqrt(add(var(c[0], c[axes], 0, true), c[eps])));
}

void require_channels(const Call& c) {
  infer::require_float(c, 0);
  if (c.shape(0).rank() >= 2) return;
  throw ShapeError(std::string(c.name()) + ": x is " + to_string(c.shape(0)) + ", but must be [N, C, ...]");
}

std::vector<std::int64_t> all_but_channels(std::size_t rank) {
  std::vector<std::int64_t> out{0};
  for (std::size_t k = 2; k < rank; ++k) out.push_back(static_cast<std::int64_t>(k));
  return out;
}

Type infer_batch_norm(const Call& c) {
  require_channels(c);
  for (std::size_t k = 0; k < c.shape(0).rank(); ++k) {
    if (k != 1 && c.shape(0)[k] == 0) throw_nothing_to_normalize(c);
  }
  return c.type(0);
}

Type infer_batch_norm_given(const Call& c) {
  require_channels(c);
  for (const std::size_t k : {std::size_t{1}, std::size_t{2}}) {
    if (c.dtype(k) != c.dtype(0)) {
      throw DTypeError(std::string(c.name()) + ": " + to_string(c.dtype(0)) + " and " +
                       to_string(c.dtype(k)) + " do not mix; cast one of them");
    }
    if (c.shape(k) == Shape{c.shape(0)[1]}) continue;
    throw ShapeError(std::string(c.name()) + ": '" + c.node.op->inputs[k] + "' is " + to_string(c.shape(k)) +
                     ", but x " + to_string(c.shape(0)) + " has " + std::to_string(c.shape(0)[1]) +
                     " channels");
  }
  return c.type(0);
}

Type infer_group_norm(const Call& c) {
  require_channels(c);
  const Shape& shape = c.shape(0);
  if (c[groups] < 1 || shape[1] % c[groups] != 0) {
    throw ShapeError("group_norm: " + std::to_string(c[groups]) + " groups do not divide the channels of " +
                     to_string(shape));
  }
  for (std::size_t k = 1; k < shape.rank(); ++k) {
    if (shape[k] == 0) throw_nothing_to_normalize(c);
  }
  return c.type(0);
}

// What has a number for each channel, [C], in the shape that broadcasts to [N, C, ...].
Var per_channel(const char* op, Var v, const Shape& x, Where where) {
  std::vector<std::int64_t> extents(x.rank() > 1 ? x.rank() - 1 : 1, 1);
  extents[0] = x.rank() > 1 ? x[1] : 1;
  if (v.shape() != Shape{extents[0]}) {
    throw ShapeError(std::string(op) + ": weight or bias is " + to_string(v.shape()) +
                     ", but has to have a number for each channel of " + to_string(x));
  }
  return v.shape().rank() == extents.size() ? v : reshape(v, extents, where);
}

Var per_channel_affine(const char* op, Var y, const NormOptions& options, Where where) {
  const Shape shape = y.shape();
  if (options.weight) y = mul(y, per_channel(op, options.weight, shape, where), where);
  if (options.bias) y = add(y, per_channel(op, options.bias, shape, where), where);
  return y;
}

}  // namespace

// y = (x - mean) / sqrt(var + eps)
constinit const Op standardize_op{
    .name = "standardize",
    .inputs = {"x"},
    .attrs = {axes, eps},
    .formula = "y = (x - mean(x)) / sqrt(var(x) + eps), mean and var over axes",
    .jacobian = "(I - 1 1'/n - y y'/n) / sqrt(var + eps) over n terms",
    .singular = "var = 0 where eps = 0: NaN",
    .infer = infer_standardize,
    .vjp = {standardize_product},
    .jvp = {standardize_product},
    .body =
        [](const Call& c) {
          const Var centred = sub(c[0], mean(c[0], c[axes], true));
          return mul(centred, rsqrt(add(var(c[0], c[axes], 0, true), c[eps])));
        },
    .tolerance = 256,
};

// y = standardize(x) over all axes but the channels
constinit const Op batch_norm_op{
    .name = "batch_norm",
    .inputs = {"x"},
    .attrs = {eps},
    .formula = "y = standardize(x) over all axes but 1",
    .jacobian = "as standardize",
    .singular = "var = 0 where eps = 0: NaN",
    .infer = infer_batch_norm,
    .body = [](const Call& c) { return standardize(c[0], all_but_channels(c.shape(0).rank()), c[eps]); },
    .tolerance = 64,
};

// y = (x - mean) / sqrt(variance + eps), a number of each for a channel
constinit const Op batch_norm_given_op{
    .name = "batch_norm_given",
    .inputs = {"x", "mean", "variance"},
    .attrs = {eps},
    .formula = "y[n, c, ...] = (x[n, c, ...] - mean[c]) / sqrt(variance[c] + eps)",
    .jacobian = "[diag(r), -r, -y r^2 / 2] with r = 1 / sqrt(variance[c] + eps)",
    .singular = "variance + eps = 0",
    .infer = infer_batch_norm_given,
    .body =
        [](const Call& c) {
          const Where here = Where::here();
          const Var r = rsqrt(add(c[2], c[eps]));
          const Var centred = sub(c[0], per_channel(c.name(), c[1], c.shape(0), here));
          return mul(centred, per_channel(c.name(), r, c.shape(0), here));
        },
    .tolerance = 64,
};

// y = standardize(x) over the channels of a group and all that lies behind them
constinit const Op group_norm_op{
    .name = "group_norm",
    .inputs = {"x"},
    .attrs = {groups, eps},
    .formula = "y = standardize(x) over each of `groups` equal runs of axis 1 and the axes after it",
    .jacobian = "as standardize",
    .singular = "var = 0 where eps = 0: NaN",
    .infer = infer_group_norm,
    .body =
        [](const Call& c) {
          const Shape& shape = c.shape(0);
          std::int64_t members = shape[1] / c[groups];
          for (std::size_t k = 2; k < shape.rank(); ++k) members *= shape[k];
          const Var grouped = reshape(c[0], {shape[0], c[groups], members});
          return reshape(layer_norm(grouped, {members}, {.eps = c[eps]}), shape);
        },
    .tolerance = 64,
};

Var standardize(Var x, std::span<const std::int64_t> over, double added, Where where) {
  const auto sorted = normalize_axes("standardize", over, x.shape().rank());
  return x.tape().record(standardize_op, {x}, {std::span<const std::int64_t>(sorted), added}, where);
}

Var batch_norm(Var x, const NormOptions& options, Where where) {
  return all_or_nothing(x.tape(), [&] {
    const Var y = x.tape().record(batch_norm_op, {x}, {options.eps}, where);
    return per_channel_affine("batch_norm", y, options, where);
  });
}

Var batch_norm(Var x, Var mean_of, Var variance, const NormOptions& options, Where where) {
  return all_or_nothing(x.tape(), [&] {
    const Var y = x.tape().record(batch_norm_given_op, {x, mean_of, variance}, {options.eps}, where);
    return per_channel_affine("batch_norm", y, options, where);
  });
}

Statistics running_statistics(Var x, Statistics running, double momentum, Where where) {
  return all_or_nothing(x.tape(), [&] {
    const Var batch = stop_gradient(x, where);
    const auto over = all_but_channels(x.shape().rank());
    const auto mixed = [&](Var old, Var now) {
      return add(scale(stop_gradient(old, where), 1 - momentum, where), scale(now, momentum, where), where);
    };
    return Statistics{mixed(running.mean, mean(batch, over, false, where)),
                      mixed(running.variance, var(batch, over, 1, false, where))};
  });
}

Var group_norm(Var x, std::int64_t count, const NormOptions& options, Where where) {
  return all_or_nothing(x.tape(), [&] {
    const Var y = x.tape().record(group_norm_op, {x}, {count, options.eps}, where);
    return per_channel_affine("group_norm", y, options, where);
  });
}

Var instance_norm(Var x, const NormOptions& options, Where where) {
  return group_norm(x, x.shape().rank() > 1 ? x.shape()[1] : 1, options, where);
}

}  // namespace backdrop
