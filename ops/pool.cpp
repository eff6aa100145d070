#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/convolution.hpp>
#include <backdrop/ops/create.hpp>
#include <backdrop/ops/index.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/reduce.hpp>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "parts/infer.hpp"
#include "parts/spatial.hpp"

namespace backdrop {

using spatial::Ints;

namespace {

constexpr auto kernel = attr::ints("kernel");
constexpr auto stride = attr::ints("stride");
constexpr auto padding = attr::ints("padding");  // the same before and after
constexpr auto dilation = attr::ints("dilation");
constexpr auto ceil_mode = attr::boolean("ceil_mode");
constexpr auto count_include_pad = attr::boolean("count_include_pad");
constexpr auto size = attr::ints("size");

constexpr double kLeast = -std::numeric_limits<double>::infinity();

struct Geometry {
  Ints kernel, stride, padding;
  std::vector<std::int64_t> dilation, count;
};

// How many windows an axis has. With ceil_mode the last one may reach beyond the end, but begins before it.
std::int64_t count_of(const Call& c, std::int64_t extent, std::int64_t around, std::int64_t span,
                      std::int64_t step) {
  const std::int64_t padded = extent + 2 * around;
  const bool reaches_beyond = padded < span && span - padded < step && extent > 0;
  if (c[ceil_mode] && reaches_beyond) return 1;  // the window that ceil_mode adds is the only one
  const std::int64_t n = spatial::count_windows(c.name(), padded, span, step);
  const bool more = c[ceil_mode] && (padded - span) % step != 0 && n * step < extent + around;
  return more ? n + 1 : n;
}

Geometry geometry(const Call& c, Ints spread) {
  infer::require_float(c, 0);
  const std::size_t axes = c[kernel].size();
  const Shape& x = c.shape(0);
  if (axes == 0 || x.rank() < axes) {
    throw ShapeError(std::string(c.name()) + ": windows over " + std::to_string(axes) + " axes of " +
                     to_string(x));
  }
  spatial::require_list(c.name(), "kernel", c[kernel], axes, 1);
  spatial::require_list(c.name(), "stride", c[stride], axes, 1);
  spatial::require_list(c.name(), "padding", c[padding], axes, 0);
  Geometry g{c[kernel], c[stride], c[padding], std::vector<std::int64_t>(axes, 1), {}};
  if (!spread.empty()) {
    spatial::require_list(c.name(), "dilation", spread, axes, 1);
    g.dilation.assign(spread.begin(), spread.end());
  }
  g.count.reserve(axes);
  for (std::size_t k = 0; k < axes; ++k) {
    if (g.padding[k] > g.kernel[k] / 2) {
      throw ShapeError(std::string(c.name()) + ": a padding of " + std::to_string(g.padding[k]) +
                       " is more than half of the kernel " + std::to_string(g.kernel[k]));
    }
    g.count.push_back(count_of(c, x[x.rank() - axes + k], g.padding[k],
                               spatial::span_of(g.kernel[k], g.dilation[k]), g.stride[k]));
  }
  return g;
}

Shape pooled(const Call& c, const Geometry& g) {
  const auto leading = c.shape(0).extents().first(c.shape(0).rank() - g.count.size());
  return Shape(spatial::joined(leading, g.count), c.name());
}

Type infer_max_pool(const Call& c) {
  if (c[dilation].empty()) throw ShapeError("max_pool: 'dilation' is empty; give a number for each axis");
  return {c.dtype(0), c.tape.intern(pooled(c, geometry(c, c[dilation])))};
}
Type infer_avg_pool(const Call& c) { return {c.dtype(0), c.tape.intern(pooled(c, geometry(c, {})))}; }

// The windows of x laid side by side: [leading, kernel, windows].
Var columns(Var x, const Geometry& g, Ints around, double outside) {
  const Var cut = x.tape().record(
      windows_op, {x}, {g.kernel, Ints(g.count), g.stride, around, Ints(g.dilation), outside}, Where::here());
  const auto leading = x.shape().extents().first(x.shape().rank() - g.count.size());
  return reshape(cut, {spatial::product(leading), spatial::product(g.kernel), spatial::product(g.count)});
}

// The place of the greatest element is a constant to derivatives.
Var greatest(const Call& c) {
  const Geometry g = geometry(c, c[dilation]);
  const Var cut = columns(c[0], g, g.padding, kLeast);
  return reshape(gather(cut, argmax(cut, 1, true), 1), pooled(c, g));
}

// How many elements the windows have: [1, 1, windows], by pooling ones.
Var terms(const Call& c, const Geometry& g) {
  const std::size_t axes = g.count.size();
  std::vector<std::int64_t> whole, around;
  for (std::size_t k = 0; k < axes; ++k) {
    const bool padded = c[count_include_pad];
    whole.push_back(c.shape(0)[c.shape(0).rank() - axes + k] + (padded ? 2 * g.padding[k] : 0));
    around.push_back(padded ? 0 : g.padding[k]);
  }
  const Var ones = full(c.tape, Shape(std::move(whole)), 1, c.dtype(0));
  return sum(columns(ones, g, around, 0), {1}, true);
}

// Whether all windows count as many elements as the kernel has.
bool is_even(const Call& c, const Geometry& g) {
  for (std::size_t k = 0; k < g.count.size(); ++k) {
    if (!c[count_include_pad] && g.padding[k] > 0) return false;
    const std::int64_t extent = c.shape(0)[c.shape(0).rank() - g.count.size() + k];
    if ((g.count[k] - 1) * g.stride[k] + g.kernel[k] > extent + 2 * g.padding[k]) return false;
  }
  return true;
}

Var average(const Call& c) {
  const Geometry g = geometry(c, {});
  const Var cut = columns(c[0], g, g.padding, 0);
  const Var y = is_even(c, g) ? mean(cut, {1}, true) : div(sum(cut, {1}, true), terms(c, g));
  return reshape(y, pooled(c, g));
}

constexpr std::int64_t kMostStretches = 4096;

Type infer_adaptive(const Call& c) {
  infer::require_float(c, 0);
  const Shape& x = c.shape(0);
  const std::size_t axes = c[size].size();
  if (axes == 0 || x.rank() < axes) {
    throw ShapeError(std::string(c.name()) + ": " + std::to_string(axes) + " axes of " + to_string(x));
  }
  spatial::require_list(c.name(), "size", c[size], axes, 1);
  for (std::int64_t extent : x.extents().last(axes)) {
    if (extent < 1 || extent > spatial::kMost) {
      throw ShapeError(std::string(c.name()) + ": " + to_string(x) +
                       " has an axis that is empty or too long");
    }
  }
  for (std::size_t k = 0; k < axes; ++k) {  // each position of an uneven axis is a node of the body
    const std::int64_t n = c[size][k];
    if (x[x.rank() - axes + k] % n == 0 || n <= kMostStretches) continue;
    throw ShapeError(std::string(c.name()) + ": " + std::to_string(n) + " uneven stretches of " +
                     to_string(x) + " are more than " + std::to_string(kMostStretches));
  }
  const auto leading = x.extents().first(x.rank() - axes);
  return {c.dtype(0), c.tape.intern(Shape(spatial::joined(leading, c[size]), c.name()))};
}

// The means of `n` stretches of one axis, which overlap where n does not divide its extent.
Var means_along(Var x, std::size_t axis, std::int64_t n) {
  const std::int64_t extent = x.shape()[axis];
  const auto at = static_cast<std::int64_t>(axis);
  if (extent % n == 0) {
    std::vector<std::int64_t> extents(x.shape().begin(), x.shape().end());
    extents[axis] = n;
    extents.insert(extents.begin() + at + 1, extent / n);
    return mean(reshape(x, extents), {at + 1});
  }
  std::vector<std::int64_t> from(axis + 1, 0), to(axis + 1, kEnd);
  std::vector<Var> parts;
  for (std::int64_t i = 0; i < n; ++i) {
    from[axis] = i * extent / n;
    to[axis] = ((i + 1) * extent + n - 1) / n;
    parts.push_back(mean(slice(x, from, to), {at}, true));
  }
  return concat(parts, at);
}

Var average_adaptively(const Call& c) {
  Var y = c[0];
  const std::size_t axes = c[size].size(), leading = y.shape().rank() - axes;
  for (std::size_t k = axes; k-- > 0;) y = means_along(y, leading + k, c[size][k]);
  return y;
}

void require_rank(const char* op, const Shape& x, std::size_t axes) {
  if (x.rank() == axes + 1 || x.rank() == axes + 2) return;
  throw ShapeError(std::string(op) + ": takes [N, C, " + std::to_string(axes) +
                   (axes == 1 ? " axis" : " axes") + "] or the same without N, not " + to_string(x));
}

Var pool_max(const char* op, std::size_t axes, Var x, const std::vector<std::int64_t>& over,
             const MaxPoolOptions& options, Where where) {
  require_rank(op, x.shape(), axes);
  const auto extents = spatial::per_axis(op, "kernel", over, axes);
  const auto step = options.stride.empty() ? extents : spatial::per_axis(op, "stride", options.stride, axes);
  const auto around = spatial::per_axis(op, "padding", options.padding, axes);
  const auto spread = spatial::per_axis(op, "dilation", options.dilation, axes);
  return x.tape().record(max_pool_op, {x},
                         {Ints(extents), Ints(step), Ints(around), Ints(spread), options.ceil_mode}, where);
}

Var pool_avg(const char* op, std::size_t axes, Var x, const std::vector<std::int64_t>& over,
             const AvgPoolOptions& options, Where where) {
  require_rank(op, x.shape(), axes);
  const auto extents = spatial::per_axis(op, "kernel", over, axes);
  const auto step = options.stride.empty() ? extents : spatial::per_axis(op, "stride", options.stride, axes);
  const auto around = spatial::per_axis(op, "padding", options.padding, axes);
  return x.tape().record(
      avg_pool_op, {x},
      {Ints(extents), Ints(step), Ints(around), options.ceil_mode, options.count_include_pad}, where);
}

}  // namespace

// y = the greatest element of each window over the last axes
constinit const Op max_pool_op{
    .name = "max_pool",
    .inputs = {"x"},
    .attrs = {kernel, stride, padding, dilation, ceil_mode},
    .formula = "y[..., o] = max over k of x[..., o stride - padding + k dilation]; NaN if any is NaN",
    .jacobian = "0s and 1s: 1 where y[k] is a copy of x[j]",
    .singular = "ties: the first element receives the derivative",
    .infer = infer_max_pool,
    .body = greatest,
};

// y = the mean of each window over the last axes
constinit const Op avg_pool_op{
    .name = "avg_pool",
    .inputs = {"x"},
    .attrs = {kernel, stride, padding, ceil_mode, count_include_pad},
    .formula = "y[..., o] = mean over k of x[..., o stride - padding + k]",
    .jacobian = "1/n where x[j] is in window i of n elements, else 0",
    .infer = infer_avg_pool,
    .body = average,
};

// y = the mean of each of `size` stretches along the last axes
constinit const Op adaptive_avg_pool_op{
    .name = "adaptive_avg_pool",
    .inputs = {"x"},
    .attrs = {size},
    .formula = "y[..., i] = mean of x[..., floor(i S / size)] to x[..., ceil((i+1) S / size) - 1]",
    .jacobian = "1/n where x[j] is one of the n elements of y[i], else 0",
    .infer = infer_adaptive,
    .body = average_adaptively,
};

Var max_pool1d(Var x, const std::vector<std::int64_t>& over, const MaxPoolOptions& options, Where where) {
  return pool_max("max_pool1d", 1, x, over, options, where);
}
Var max_pool2d(Var x, const std::vector<std::int64_t>& over, const MaxPoolOptions& options, Where where) {
  return pool_max("max_pool2d", 2, x, over, options, where);
}
Var max_pool3d(Var x, const std::vector<std::int64_t>& over, const MaxPoolOptions& options, Where where) {
  return pool_max("max_pool3d", 3, x, over, options, where);
}
Var avg_pool1d(Var x, const std::vector<std::int64_t>& over, const AvgPoolOptions& options, Where where) {
  return pool_avg("avg_pool1d", 1, x, over, options, where);
}
Var avg_pool2d(Var x, const std::vector<std::int64_t>& over, const AvgPoolOptions& options, Where where) {
  return pool_avg("avg_pool2d", 2, x, over, options, where);
}
Var avg_pool3d(Var x, const std::vector<std::int64_t>& over, const AvgPoolOptions& options, Where where) {
  return pool_avg("avg_pool3d", 3, x, over, options, where);
}

Var adaptive_avg_pool2d(Var x, const std::vector<std::int64_t>& to, Where where) {
  require_rank("adaptive_avg_pool2d", x.shape(), 2);
  const auto extents = spatial::per_axis("adaptive_avg_pool2d", "size", to, 2);
  return x.tape().record(adaptive_avg_pool_op, {x}, {Ints(extents)}, where);
}

}  // namespace backdrop
