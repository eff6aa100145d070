#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/convolution.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>
#include <utility>
#include <vector>

#include "kernels/windows.hpp"
#include "parts/batched.hpp"
#include "parts/infer.hpp"
#include "parts/spatial.hpp"

namespace backdrop {

using spatial::Ints;

namespace {

constexpr auto kernel = attr::ints("kernel");
constexpr auto count = attr::ints("count");
constexpr auto extents = attr::ints("extents");
constexpr auto stride = attr::ints("stride");
constexpr auto padding = attr::ints("padding");
constexpr auto dilation = attr::ints("dilation");
constexpr auto fill = attr::real("fill").or_else(0);

kernels::WindowLayout layout(const Eval& e) { return {e[stride], e[padding], e[dilation]}; }

// The lists that both ops have, for as many spatial axes as `axes`.
void require_layout(const Call& c, std::size_t axes) {
  if (axes == 0) throw ShapeError(std::string(c.name()) + ": names no axis; give a number for each");
  spatial::require_list(c.name(), "stride", c[stride], axes, 1);
  spatial::require_list(c.name(), "padding", c[padding], axes, -spatial::kMost);
  spatial::require_list(c.name(), "dilation", c[dilation], axes, 1);
}

Type infer_windows(const Call& c) {
  infer::require_float(c, 0);
  const std::size_t axes = c[kernel].size();
  require_layout(c, axes);
  spatial::require_list(c.name(), "kernel", c[kernel], axes, 1);
  spatial::require_list(c.name(), "count", c[count], axes, 0);
  const Shape& x = c.shape(0);
  if (x.rank() < axes) {
    throw ShapeError("windows: a kernel over " + std::to_string(axes) + " axes in " + to_string(x));
  }
  auto out = spatial::joined(x.extents().first(x.rank() - axes), spatial::joined(c[kernel], c[count]));
  return {c.dtype(0), c.tape.intern(Shape(std::move(out), c.name()))};
}

Type infer_unwindows(const Call& c) {
  infer::require_float(c, 0);
  const std::size_t axes = c[extents].size();
  require_layout(c, axes);
  spatial::require_list(c.name(), "extents", c[extents], axes, 0);
  const Shape& x = c.shape(0);
  if (x.rank() < 2 * axes) {
    throw ShapeError("unwindows: takes [..., kernel..., count...] for " + std::to_string(axes) +
                     " axes, not " + to_string(x));
  }
  const Ints cut = x.extents().last(2 * axes);
  spatial::require_list(c.name(), "kernel", cut.first(axes), axes, 1);
  spatial::require_list(c.name(), "count", cut.last(axes), axes, 0);
  auto out = spatial::joined(x.extents().first(x.rank() - 2 * axes), c[extents]);
  return {c.dtype(0), c.tape.intern(Shape(std::move(out), c.name()))};
}

// The windows over t as those of this call lie.
Var again(const Call& c, Var t, double outside) {
  return t.tape().record(windows_op, {t}, {c[kernel], c[count], c[stride], c[padding], c[dilation], outside},
                         Where::here());
}

std::vector<std::int64_t> counts(const char* op, Ints whole, const std::vector<std::int64_t>& size,
                                 const std::vector<std::int64_t>& step,
                                 const std::vector<std::int64_t>& around,
                                 const std::vector<std::int64_t>& spread) {
  const std::size_t axes = size.size();
  spatial::require_list(op, "kernel", size, axes, 1);
  spatial::require_list(op, "stride", step, axes, 1);
  spatial::require_list(op, "padding", around, 2 * axes, 0);
  spatial::require_list(op, "dilation", spread, axes, 1);
  std::vector<std::int64_t> out;
  out.reserve(axes);
  for (std::size_t k = 0; k < axes; ++k) {
    out.push_back(spatial::count_windows(op, whole[k] + around[k] + around[axes + k],
                                         spatial::span_of(size[k], spread[k]), step[k]));
  }
  return out;
}

}  // namespace

// y[..., k..., o...] = x[..., o * stride - padding + k * dilation], `fill` outside
constinit const Op windows_op{
    .name = "windows",
    .inputs = {"x"},
    .attrs = {kernel, count, stride, padding, dilation, fill},
    .formula = "y[..., k, o] = x[..., o stride - padding + k dilation] for o < count, `fill` outside of x",
    .jacobian = "0s and 1s: 1 where y[k] is a copy of x[j]",
    .structure = Structure::selection,
    .leading = [](const Call& c, std::size_t) { return c.shape(0).rank() - c[kernel].size(); },
    .infer = infer_windows,
    .eval = [](const Eval& e) { kernels::windows(e, layout(e), e[fill]); },
    .vjp = {[](const Call& c, Var g) {
      const Ints whole = c.shape(0).extents().last(c[kernel].size());
      return g.tape().record(unwindows_op, {g}, {whole, c[stride], c[padding], c[dilation]}, Where::here());
    }},
    .jvp = {[](const Call& c, Var t) { return again(c, t, 0); }},
    .batch = batched::same,
};

// The transpose of windows.
constinit const Op unwindows_op{
    .name = "unwindows",
    .inputs = {"x"},
    .attrs = {extents, stride, padding, dilation},
    .formula = "y = 0; y[..., o stride - padding + k dilation] += x[..., k, o], dropping what lies outside",
    .jacobian = "the transpose of windows'",
    .structure = Structure::partition,
    .leading = [](const Call& c, std::size_t) { return c.y.shape().rank() - c[extents].size(); },
    .infer = infer_unwindows,
    .eval = [](const Eval& e) { kernels::unwindows(e, layout(e)); },
    .vjp = {[](const Call& c, Var g) {
      const std::size_t axes = c[extents].size();
      const Ints cut = c.shape(0).extents().last(2 * axes);
      return g.tape().record(windows_op, {g},
                             {cut.first(axes), cut.last(axes), c[stride], c[padding], c[dilation], 0.0},
                             Where::here());
    }},
    .jvp = rule::linear,
    .batch = batched::same,
};

Var unfold(Var x, const std::vector<std::int64_t>& size, const WindowOptions& options, Where where) {
  const Shape from = x.shape();
  if (from.rank() != 4) throw ShapeError("unfold: takes [N, C, H, W], not " + to_string(from));
  const auto over = spatial::per_axis("unfold", "kernel", size, 2);
  const auto step = spatial::per_axis("unfold", "stride", options.stride, 2);
  const auto around = spatial::per_side("unfold", options.padding, 2);
  const auto spread = spatial::per_axis("unfold", "dilation", options.dilation, 2);
  const auto number = counts("unfold", from.extents().last(2), over, step, around, spread);
  return all_or_nothing(x.tape(), [&] {
    const Var cut = x.tape().record(
        windows_op, {x}, {Ints(over), Ints(number), Ints(step), Ints(around).first(2), Ints(spread), 0.0},
        where);
    return reshape(cut, {from[0], from[1] * spatial::product(over), spatial::product(number)}, where);
  });
}

Var fold(Var x, const std::vector<std::int64_t>& size, const std::vector<std::int64_t>& over_one,
         const WindowOptions& options, Where where) {
  const Shape from = x.shape();
  const auto whole = spatial::per_axis("fold", "size", size, 2);
  const auto over = spatial::per_axis("fold", "kernel", over_one, 2);
  const auto step = spatial::per_axis("fold", "stride", options.stride, 2);
  const auto around = spatial::per_side("fold", options.padding, 2);
  const auto spread = spatial::per_axis("fold", "dilation", options.dilation, 2);
  spatial::require_list("fold", "size", whole, 2, 0);
  const auto number = counts("fold", whole, over, step, around, spread);
  const std::int64_t elements = spatial::product(over), columns = spatial::product(number);
  if (from.rank() != 3 || from[1] % elements != 0 || from[2] != columns) {
    throw ShapeError("fold: takes [N, C * " + std::to_string(elements) + ", " + std::to_string(columns) +
                     "] for this kernel and size, not " + to_string(from));
  }
  return all_or_nothing(x.tape(), [&] {
    const Var cut = reshape(x, {from[0], from[1] / elements, over[0], over[1], number[0], number[1]}, where);
    return x.tape().record(unwindows_op, {cut},
                           {Ints(whole), Ints(step), Ints(around).first(2), Ints(spread)}, where);
  });
}

}  // namespace backdrop
