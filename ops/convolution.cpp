#include <algorithm>
#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/convolution.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/matmul.hpp>
#include <string>
#include <utility>
#include <vector>

#include "parts/infer.hpp"
#include "parts/spatial.hpp"

namespace backdrop {

using spatial::Ints;

namespace {

constexpr auto stride = attr::ints("stride");
constexpr auto padding = attr::ints("padding");
constexpr auto dilation = attr::ints("dilation");
constexpr auto output_padding = attr::ints("output_padding");
constexpr auto groups = attr::integer("groups").between(1, static_cast<double>(spatial::kMost));

// Both kinds: x [N, C, S...] and weight [., ., K...], lists for as many axes as there are of S.
void require_operands(const Call& c) {
  infer::require_float(c, 0);
  infer::require_dtype(c, 1, c.dtype(0), ", as 'x' is; cast one of them");
  const Shape &x = c.shape(0), &w = c.shape(1);
  const std::size_t axes = c[stride].size();
  if (axes == 0 || x.rank() != axes + 2 || w.rank() != axes + 2) {
    throw ShapeError(std::string(c.name()) + ": takes [N, C, " + std::to_string(axes) +
                     " axes] and a weight of the same rank, not " + to_string(x) + " and " + to_string(w));
  }
  spatial::require_list(c.name(), "stride", c[stride], axes, 1);
  spatial::require_list(c.name(), "padding", c[padding], 2 * axes, 0);
  spatial::require_list(c.name(), "dilation", c[dilation], axes, 1);
  spatial::require_list(c.name(), "kernel", w.extents().last(axes), axes, 1);
}

[[noreturn]] void throw_channels(const Call& c) {
  throw ShapeError(std::string(c.name()) + ": a weight " + to_string(c.shape(1)) + " in " +
                   std::to_string(c[groups]) + (c[groups] == 1 ? " group" : " groups") +
                   " does not fit the channels of " + to_string(c.shape(0)));
}

std::vector<std::int64_t> output_of(const Call& c) {
  const Shape &x = c.shape(0), &w = c.shape(1);
  const std::size_t axes = c[stride].size();
  std::vector<std::int64_t> out{x[0], w[0]};
  for (std::size_t k = 0; k < axes; ++k) {
    const std::int64_t padded = x[2 + k] + c[padding][k] + c[padding][axes + k];
    out.push_back(
        spatial::count_windows(c.name(), padded, spatial::span_of(w[2 + k], c[dilation][k]), c[stride][k]));
  }
  return out;
}

Type infer_convolution(const Call& c) {
  require_operands(c);
  const Shape &x = c.shape(0), &w = c.shape(1);
  if (x[1] % c[groups] != 0 || w[1] != x[1] / c[groups] || w[0] % c[groups] != 0) throw_channels(c);
  return {c.dtype(0), c.tape.intern(Shape(output_of(c), c.name()))};
}

// Whether a window is one element, and each element a window.
bool is_pointwise(const Call& c) {
  const auto all = [](Ints list, std::int64_t n) {
    return std::ranges::all_of(list, [n](std::int64_t x) { return x == n; });
  };
  return all(c.shape(1).extents().last(c[stride].size()), 1) && all(c[stride], 1) && all(c[padding], 0);
}

// For every sample and group: the weights [O / G, C / G * K] times the windows [C / G * K, outputs].
Var convolve(const Call& c) {
  const Shape &x = c.shape(0), &w = c.shape(1);
  const std::vector<std::int64_t> y = output_of(c);
  const std::size_t axes = c[stride].size();
  const Ints kernel = w.extents().last(axes), outputs = Ints(y).last(axes);
  const Var cut = is_pointwise(c)
                      ? c[0]
                      : c.tape.record(windows_op, {c[0]},
                                      {kernel, outputs, c[stride], c[padding].first(axes), c[dilation], 0.0},
                                      Where::here());
  const std::int64_t terms = w[1] * spatial::product(kernel), places = spatial::product(outputs);
  const Var product = c[groups] == 1
                          ? matmul(reshape(c[1], {w[0], terms}), reshape(cut, {x[0], terms, places}))
                          : matmul(reshape(c[1], {c[groups], w[0] / c[groups], terms}),
                                   reshape(cut, {x[0], c[groups], terms, places}));
  return reshape(product, y);
}

std::vector<std::int64_t> transposed_output_of(const Call& c) {
  const Shape &x = c.shape(0), &w = c.shape(1);
  const std::size_t axes = c[stride].size();
  std::vector<std::int64_t> out{x[0], w[1] * c[groups]};
  for (std::size_t k = 0; k < axes; ++k) {
    if (x[2 + k] < 1 || x[2 + k] > spatial::kMost) {
      throw ShapeError(std::string(c.name()) + ": axis " + std::to_string(2 + k) + " of " + to_string(x) +
                       " is empty or too long");
    }
    const std::int64_t extent = (x[2 + k] - 1) * c[stride][k] + spatial::span_of(w[2 + k], c[dilation][k]) +
                                c[output_padding][k] - c[padding][k] - c[padding][axes + k];
    if (extent < 1) {
      throw ShapeError(std::string(c.name()) + ": the padding leaves nothing of axis " +
                       std::to_string(2 + k) + " of " + to_string(x));
    }
    out.push_back(extent);
  }
  return out;
}

Type infer_transposed_convolution(const Call& c) {
  require_operands(c);
  const Shape &x = c.shape(0), &w = c.shape(1);
  spatial::require_list(c.name(), "output_padding", c[output_padding], c[stride].size(), 0);
  for (std::size_t k = 0; k < c[stride].size(); ++k) {
    if (c[output_padding][k] < std::max(c[stride][k], c[dilation][k])) continue;
    throw ShapeError(std::string(c.name()) + ": an output_padding of " +
                     std::to_string(c[output_padding][k]) + " is not less than the stride or the dilation");
  }
  if (x[1] % c[groups] != 0 || w[0] != x[1] || w[1] > spatial::kMost) throw_channels(c);
  return {c.dtype(0), c.tape.intern(Shape(transposed_output_of(c), c.name()))};
}

// For every sample and group: the weights [C / G, O / G * K], transposed, times x [C / G, places], added up.
Var convolve_transposed(const Call& c) {
  const Shape &x = c.shape(0), &w = c.shape(1);
  const std::vector<std::int64_t> y = transposed_output_of(c);
  const std::size_t axes = c[stride].size();
  const Ints kernel = w.extents().last(axes), places = x.extents().last(axes);
  const std::int64_t terms = w[1] * spatial::product(kernel), count = spatial::product(places);
  const std::int64_t channels = x[1] / c[groups];
  const MatmulOptions transposed{.transpose_a = true};
  const Var product = c[groups] == 1 ? matmul(reshape(c[1], {channels, terms}),
                                              reshape(c[0], {x[0], channels, count}), transposed)
                                     : matmul(reshape(c[1], {c[groups], channels, terms}),
                                              reshape(c[0], {x[0], c[groups], channels, count}), transposed);
  const std::vector<std::int64_t> leading{x[0], y[1]};
  const Var cut = reshape(product, Shape(spatial::joined(leading, spatial::joined(kernel, places))));
  return c.tape.record(unwindows_op, {cut},
                       {Ints(y).last(axes), c[stride], c[padding].first(axes), c[dilation]}, Where::here());
}

// A bias belongs to axis 1. A sample without N is a batch of one.
template <class Record>
Var with_batch_and_bias(const char* op, Var x, Var bias, std::size_t axes, Where where, Record record) {
  const std::size_t rank = x.shape().rank();
  if (rank != axes + 2 && rank != axes + 1) {
    throw ShapeError(std::string(op) + ": takes [N, C, " + std::to_string(axes) +
                     (axes == 1 ? " axis" : " axes") + "] or the same without N, not " +
                     to_string(x.shape()));
  }
  return all_or_nothing(x.tape(), [&] {
    const bool single = rank == axes + 1;
    Var y = record(single ? unsqueeze(x, 0, where) : x);
    if (bias) {
      const std::int64_t channels = y.shape()[1];
      if (bias.shape() != Shape{channels}) {
        throw ShapeError(std::string(op) + ": a bias " + to_string(bias.shape()) + " for " +
                         std::to_string(channels) + " channels");
      }
      std::vector<std::int64_t> extents(axes + 1, 1);
      extents[0] = channels;
      y = add(y, reshape(bias, extents, where), where);
    }
    return single ? squeeze(y, {0}, where) : y;
  });
}

Var conv(const char* op, std::size_t axes, Var x, Var weight, Var bias, const ConvOptions& options,
         Where where) {
  const auto step = spatial::per_axis(op, "stride", options.stride, axes);
  const auto around = spatial::per_side(op, options.padding, axes);
  const auto spread = spatial::per_axis(op, "dilation", options.dilation, axes);
  return with_batch_and_bias(op, x, bias, axes, where, [&](Var batch) {
    return batch.tape().record(convolution_op, {batch, weight},
                               {Ints(step), Ints(around), Ints(spread), options.groups}, where);
  });
}

Var conv_transpose(const char* op, std::size_t axes, Var x, Var weight, Var bias,
                   const ConvTransposeOptions& options, Where where) {
  const auto step = spatial::per_axis(op, "stride", options.stride, axes);
  const auto around = spatial::per_side(op, options.padding, axes);
  const auto more = spatial::per_axis(op, "output_padding", options.output_padding, axes);
  const auto spread = spatial::per_axis(op, "dilation", options.dilation, axes);
  return with_batch_and_bias(op, x, bias, axes, where, [&](Var batch) {
    return batch.tape().record(transposed_convolution_op, {batch, weight},
                               {Ints(step), Ints(around), Ints(more), Ints(spread), options.groups}, where);
  });
}

}  // namespace

// y[n, o, i...] = sum over c, k... of x[n, c, i * stride - padding + k * dilation] weight[o, c, k...]
constinit const Op convolution_op{
    .name = "convolution",
    .inputs = {"x", "weight"},
    .attrs = {stride, padding, dilation, groups},
    .formula =
        "y[n, o, i] = sum over c, k of x[n, c, i stride - padding + k dilation] weight[o, c, k], by groups",
    .jacobian = "[weight o windows, windows (x) I]",
    .infer = infer_convolution,
    .body = convolve,
};

// The transpose of a convolution as a map of x, with the same weight.
constinit const Op transposed_convolution_op{
    .name = "transposed_convolution",
    .inputs = {"x", "weight"},
    .attrs = {stride, padding, output_padding, dilation, groups},
    .formula =
        "y[n, o, i stride - padding + k dilation] += x[n, c, i] weight[c, o, k] over c, i, k, by groups",
    .jacobian = "[the transpose of convolution's in its x, that of a product]",
    .infer = infer_transposed_convolution,
    .body = convolve_transposed,
};

Var conv1d(Var x, Var weight, Var bias, const ConvOptions& options, Where where) {
  return conv("conv1d", 1, x, weight, bias, options, where);
}
Var conv2d(Var x, Var weight, Var bias, const ConvOptions& options, Where where) {
  return conv("conv2d", 2, x, weight, bias, options, where);
}
Var conv3d(Var x, Var weight, Var bias, const ConvOptions& options, Where where) {
  return conv("conv3d", 3, x, weight, bias, options, where);
}
Var conv_transpose1d(Var x, Var weight, Var bias, const ConvTransposeOptions& options, Where where) {
  return conv_transpose("conv_transpose1d", 1, x, weight, bias, options, where);
}
Var conv_transpose2d(Var x, Var weight, Var bias, const ConvTransposeOptions& options, Where where) {
  return conv_transpose("conv_transpose2d", 2, x, weight, bias, options, where);
}
Var conv_transpose3d(Var x, Var weight, Var bias, const ConvTransposeOptions& options, Where where) {
  return conv_transpose("conv_transpose3d", 3, x, weight, bias, options, where);
}

}  // namespace backdrop
