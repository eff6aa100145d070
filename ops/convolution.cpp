#include <algorithm>
#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/convolution.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/matmul.hpp>
#include <backdrop/ops/reduce.hpp>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "kernels/convolution.hpp"
#include "parts/batched.hpp"
#include "parts/infer.hpp"
#include "parts/spatial.hpp"

namespace backdrop {

using spatial::Ints;

namespace {

constexpr auto kernel = attr::ints("kernel");
constexpr auto stride = attr::ints("stride");
constexpr auto padding = attr::ints("padding");
constexpr auto dilation = attr::ints("dilation");
constexpr auto output_padding = attr::ints("output_padding");
constexpr auto groups = attr::integer("groups").between(1, static_cast<double>(spatial::kMost));

constexpr double kTolerance = 64;  // the sums of kernels are taken in another order

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

// What w [O, C, K...] and the windows of some samples, `places` of each, are to the BLAS: matrices, whose
// extents it counts in 32 bits.
void require_matrices(const Call& c, const Shape& w, Ints places) {
  const std::int64_t terms = spatial::product(w.extents().subspan(1));
  for (std::int64_t extent : {w[0], terms, spatial::product(places)}) {
    if (extent <= std::numeric_limits<std::int32_t>::max()) continue;
    throw ShapeError(std::string(c.name()) + ": " + to_string(c.shape(0)) + " and " + to_string(c.shape(1)) +
                     " make a matrix with an extent above 2^31 - 1");
  }
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
  const Shape y(output_of(c), c.name());
  require_matrices(c, w, y.extents().subspan(2));
  return {c.dtype(0), c.tape.intern(y)};
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
  const Ints window = w.extents().last(axes), outputs = Ints(y).last(axes);
  const Var cut = is_pointwise(c)
                      ? c[0]
                      : c.tape.record(windows_op, {c[0]},
                                      {window, outputs, c[stride], c[padding].first(axes), c[dilation], 0.0},
                                      Where::here());
  const std::int64_t terms = w[1] * spatial::product(window), places = spatial::product(outputs);
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
  require_matrices(c, w, x.extents().subspan(2));
  return {c.dtype(0), c.tape.intern(Shape(transposed_output_of(c), c.name()))};
}

// For every sample and group: the weights [C / G, O / G * K], transposed, times x [C / G, places], added up.
Var convolve_transposed(const Call& c) {
  const Shape &x = c.shape(0), &w = c.shape(1);
  const std::vector<std::int64_t> y = transposed_output_of(c);
  const std::size_t axes = c[stride].size();
  const Ints window = w.extents().last(axes), places = x.extents().last(axes);
  const std::int64_t terms = w[1] * spatial::product(window), count = spatial::product(places);
  const std::int64_t channels = x[1] / c[groups];
  const MatmulOptions transposed{.transpose_a = true};
  const Var product = c[groups] == 1 ? matmul(reshape(c[1], {channels, terms}),
                                              reshape(c[0], {x[0], channels, count}), transposed)
                                     : matmul(reshape(c[1], {c[groups], channels, terms}),
                                              reshape(c[0], {x[0], c[groups], channels, count}), transposed);
  const std::vector<std::int64_t> leading{x[0], y[1]};
  const Var cut = reshape(product, Shape(spatial::joined(leading, spatial::joined(window, places))));
  return c.tape.record(unwindows_op, {cut},
                       {Ints(y).last(axes), c[stride], c[padding].first(axes), c[dilation]}, Where::here());
}

// Where the windows of an axis end: behind x are `after` more positions, or of x `rest` come after them.
struct End {
  std::int64_t after, rest;
};
End end_of(std::int64_t extent, std::int64_t before, std::int64_t step, std::int64_t span,
           std::int64_t places) {
  const std::int64_t rest = extent + before - (places - 1) * step - span;
  return {std::max<std::int64_t>(-rest, 0), std::max<std::int64_t>(rest, 0)};
}

Type infer_window_product(const Call& c) {
  infer::require_float(c, 0);
  infer::require_dtype(c, 1, c.dtype(0), ", as 'x' is; cast one of them");
  const Shape &x = c.shape(0), &z = c.shape(1);
  const std::size_t axes = c[kernel].size();
  if (axes == 0 || x.rank() != axes + 2 || z.rank() != axes + 2 || x[0] != z[0] || x[1] % c[groups] != 0 ||
      z[1] % c[groups] != 0) {
    throw ShapeError("window_product: takes [N, C, " + std::to_string(axes) +
                     " axes] and [N, O, axes] with C and O divisible by " + std::to_string(c[groups]) +
                     ", not " + to_string(x) + " and " + to_string(z));
  }
  spatial::require_list(c.name(), "kernel", c[kernel], axes, 1);
  spatial::require_list(c.name(), "stride", c[stride], axes, 1);
  spatial::require_list(c.name(), "padding", c[padding], axes, 0);
  spatial::require_list(c.name(), "dilation", c[dilation], axes, 1);
  spatial::require_list(c.name(), "windows", z.extents().last(axes), axes, 1);
  for (std::size_t k = 0; k < axes; ++k) {
    const End end = end_of(x[2 + k], c[padding][k], c[stride][k],
                           spatial::span_of(c[kernel][k], c[dilation][k]), z[2 + k]);
    if (end.rest < std::max(c[stride][k], c[dilation][k])) continue;
    throw ShapeError("window_product: after the " + std::to_string(z[2 + k]) + " windows of axis " +
                     std::to_string(2 + k) + " of " + to_string(x) + ", " + std::to_string(end.rest) +
                     " positions are left, as many as the stride and the dilation");
  }
  const std::vector<std::int64_t> leading{z[1], x[1] / c[groups]};
  const Shape w(spatial::joined(leading, c[kernel]), c.name());
  require_matrices(c, w, z.extents().subspan(2));
  return {c.dtype(0), c.tape.intern(w)};
}

// For every sample and group: z [O / G, places] times the windows [C / G * K, places], transposed; summed.
Var multiply_windows(const Call& c) {
  const Shape &x = c.shape(0), &z = c.shape(1);
  const std::size_t axes = c[kernel].size();
  const Ints places = z.extents().last(axes);
  const Var cut = c.tape.record(windows_op, {c[0]},
                                {c[kernel], places, c[stride], c[padding], c[dilation], 0.0}, Where::here());
  const std::int64_t terms = x[1] / c[groups] * spatial::product(c[kernel]), count = spatial::product(places);
  const Var product = matmul(reshape(c[1], {x[0], c[groups], z[1] / c[groups], count}),
                             reshape(cut, {x[0], c[groups], terms, count}), {.transpose_b = true});
  const std::vector<std::int64_t> leading{z[1], x[1] / c[groups]};
  return reshape(sum(product, {0}), Shape(spatial::joined(leading, c[kernel])));
}

// Three maps, each linear in both operands, whose derivatives are one another: of x [N, C, S...] and w
// [O, C / groups, K...] to y [N, O, places...], of y and w to x, of x and y to w. Windows lie as in `c`,
// which is one of them.

Var y_of(const Call& c, Var x, Var w, Ints places) {
  const std::size_t axes = c[stride].size();
  std::vector<std::int64_t> around(2 * axes), begin(axes + 2, 0), end{x.shape()[0], w.shape()[0]};
  for (std::size_t k = 0; k < axes; ++k) {
    around[k] = c[padding][k];
    around[axes + k] = end_of(x.shape()[2 + k], around[k], c[stride][k],
                              spatial::span_of(w.shape()[2 + k], c[dilation][k]), places[k])
                           .after;
    end.push_back(places[k]);
  }
  const Var y =
      c.tape.record(convolution_op, {x, w}, {c[stride], Ints(around), c[dilation], c[groups]}, Where::here());
  return y.shape() == Shape(end) ? y : slice(y, begin, end);  // where dilation is more than stride
}

Var x_of(const Call& c, Var y, Var w, Ints extents) {
  if (spatial::product(extents) == 0) return {};
  const std::size_t axes = c[stride].size();
  std::vector<std::int64_t> around(2 * axes), more(axes);
  for (std::size_t k = 0; k < axes; ++k) {
    const End end = end_of(extents[k], c[padding][k], c[stride][k],
                           spatial::span_of(w.shape()[2 + k], c[dilation][k]), y.shape()[2 + k]);
    around[k] = c[padding][k];
    around[axes + k] = end.after;
    more[k] = end.rest;
  }
  return c.tape.record(transposed_convolution_op, {y, w},
                       {c[stride], Ints(around), Ints(more), c[dilation], c[groups]}, Where::here());
}

Var w_of(const Call& c, Var x, Var y, Ints window) {
  return c.tape.record(window_product_op, {x, y},
                       {window, c[stride], c[padding].first(c[stride].size()), c[dilation], c[groups]},
                       Where::here());
}

Ints spatial_axes(const Call& c, std::size_t input) {
  return c.shape(input).extents().last(c[stride].size());
}

std::size_t samples_of_the_first(const Call&, std::size_t input) { return input == 0 ? 1 : 0; }

kernels::WindowLayout layout(const Eval& e) { return {e[stride], e[padding], e[dilation]}; }
std::size_t number_of_groups(const Eval& e) { return static_cast<std::size_t>(e[groups]); }

// Of many values [n, N, C, S...] the channels, side by side: [N, n C, S...]; and back.
std::vector<std::int64_t> first_two_swapped(std::size_t rank) {
  std::vector<std::int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  std::swap(axes[0], axes[1]);
  return axes;
}
Var side_by_side(Var many) {
  const auto from = many.shape().extents();
  const std::vector<std::int64_t> leading{from[1], from[0] * from[2]};
  return reshape(transpose(many, first_two_swapped(from.size())),
                 Shape(spatial::joined(leading, from.last(from.size() - 3))));
}
Var apart(Var y, std::int64_t n) {
  const auto from = y.shape().extents();
  const std::vector<std::int64_t> leading{from[0], n, from[1] / n};
  const Shape to(spatial::joined(leading, from.last(from.size() - 2)));
  return transpose(reshape(y, to), first_two_swapped(to.rank()));
}
// [n, A, ...] as [n A, ...]; and back.
Var merged(Var many) {
  const auto from = many.shape().extents();
  return reshape(many, Shape(batched::before(from[0] * from[1], from.last(from.size() - 2))));
}
Var split(Var y, std::int64_t n) {
  const auto from = y.shape().extents();
  const std::vector<std::int64_t> leading{n, from[0] / n};
  return reshape(y, Shape(spatial::joined(leading, from.last(from.size() - 1))));
}

// Many first operands are more samples; many weights are more groups. record(a, w, groups) records the op.
template <class Record>
Var batch_of_samples(const Call& c, std::span<const Var> x, Record record) {
  const std::int64_t n = batched::size(c, x);
  if (!batched::is(c, x, 1)) return split(record(merged(x[0]), x[1], c[groups]), n);
  const std::vector<Var> all = batched::all(c, x);
  return apart(record(side_by_side(all[0]), merged(all[1]), c[groups] * n), n);
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
    .leading = samples_of_the_first,
    .infer = infer_convolution,
    .eval = [](const Eval& e) { kernels::convolution(e, layout(e), number_of_groups(e)); },
    .vjp = {[](const Call& c, Var g) { return x_of(c, g, c[1], spatial_axes(c, 0)); },
            [](const Call& c, Var g) { return w_of(c, c[0], g, spatial_axes(c, 1)); }},
    .jvp = rule::multilinear,
    .body = convolve,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          return batch_of_samples(c, x, [&](Var a, Var w, std::int64_t number) {
            return a.tape().record(convolution_op, {a, w}, {c[stride], c[padding], c[dilation], number},
                                   Where::here());
          });
        },
    .tolerance = kTolerance,
};

// The transpose of a convolution as a map of x, with the same weight.
constinit const Op transposed_convolution_op{
    .name = "transposed_convolution",
    .inputs = {"x", "weight"},
    .attrs = {stride, padding, output_padding, dilation, groups},
    .formula =
        "y[n, o, i stride - padding + k dilation] += x[n, c, i] weight[c, o, k] over c, i, k, by groups",
    .jacobian = "[the transpose of convolution's in its x, that of a product]",
    .leading = samples_of_the_first,
    .infer = infer_transposed_convolution,
    .eval = [](const Eval& e) { kernels::transposed_convolution(e, layout(e), number_of_groups(e)); },
    .vjp = {[](const Call& c, Var g) { return y_of(c, g, c[1], spatial_axes(c, 0)); },
            [](const Call& c, Var g) { return w_of(c, g, c[0], spatial_axes(c, 1)); }},
    .jvp = rule::multilinear,
    .body = convolve_transposed,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          return batch_of_samples(c, x, [&](Var a, Var w, std::int64_t number) {
            return a.tape().record(transposed_convolution_op, {a, w},
                                   {c[stride], c[padding], c[output_padding], c[dilation], number},
                                   Where::here());
          });
        },
    .tolerance = kTolerance,
};

// The third of these maps: a convolution, and its transpose, are linear in the weight too.
constinit const Op window_product_op{
    .name = "window_product",
    .inputs = {"x", "z"},
    .attrs = {kernel, stride, padding, dilation, groups},
    .formula = "y[o, c, k] = sum over n, i of z[n, o, i] x[n, c, i stride - padding + k dilation], by groups",
    .jacobian = "[z o windows, windows (x) I]",
    .infer = infer_window_product,
    .eval = [](const Eval& e) { kernels::window_product(e, layout(e), number_of_groups(e)); },
    .vjp = {[](const Call& c, Var g) { return x_of(c, c[1], g, spatial_axes(c, 0)); },
            [](const Call& c, Var g) { return y_of(c, c[0], g, spatial_axes(c, 1)); }},
    .jvp = rule::multilinear,
    .body = multiply_windows,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          const std::int64_t n = batched::size(c, x);
          const std::vector<Var> all = batched::all(c, x);
          const Var a = side_by_side(all[0]);
          const Var y =
              a.tape().record(window_product_op, {a, side_by_side(all[1])},
                              {c[kernel], c[stride], c[padding], c[dilation], c[groups] * n}, Where::here());
          return split(y, n);
        },
    .tolerance = kTolerance,
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
