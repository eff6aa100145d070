#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>
#include <vector>

#include "kernels/strided.hpp"
#include "parts/batched.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

using Ints = std::span<const std::int64_t>;

constexpr auto shape = attr::ints("shape");
constexpr auto starts = attr::ints("starts");
constexpr auto steps = attr::ints("steps");

// Positions starts + i * steps, for i within `part`, must lie within `whole`.
void require_within(const char* op, const Shape& part, Ints first, Ints step, const Shape& whole) {
  bool fits = part.rank() == whole.rank() && first.size() == whole.rank() && step.size() == whole.rank();
  for (std::size_t k = 0; fits && k < whole.rank(); ++k) {
    const std::int64_t extent = whole[k], n = part[k];
    const std::int64_t longest = std::max<std::int64_t>(extent, 1);
    fits = first[k] >= 0 && first[k] <= extent && step[k] != 0 && step[k] >= -longest && step[k] <= longest;
    if (!fits || n == 0) continue;
    // How many steps lead from the first position to the edge; no product, which could overflow.
    fits =
        first[k] < extent && n - 1 <= (step[k] > 0 ? (extent - 1 - first[k]) / step[k] : first[k] / -step[k]);
  }
  if (fits) return;
  throw ShapeError(std::string(op) + ": starts, steps and shape " + to_string(part) + " lead out of " +
                   to_string(whole));
}

Type infer_slice(const Call& c) {
  const Shape part(c[shape], c.name());
  require_within("slice", part, c[starts], c[steps], c.shape(0));
  return {c.dtype(0), c.tape.intern(part)};
}

Type infer_unslice(const Call& c) {
  const Shape whole(c[shape], c.name());
  infer::require_number(c, 0);
  require_within("unslice", c.shape(0), c[starts], c[steps], whole);
  return {c.dtype(0), c.tape.intern(whole)};
}

struct Walk {
  std::int64_t first = 0;
  std::array<std::int64_t, kMaxRank> strides{};
};
// How the part is walked in the memory of the whole.
Walk walk(const Shape& whole, Ints first, Ints step) {
  const auto own = kernels::strides_of(whole);
  Walk out;
  for (std::size_t k = 0; k < whole.rank(); ++k) {
    out.first += first[k] * own[k];
    out.strides[k] = step[k] * own[k];
  }
  return out;
}

void copy_out(const Eval& e) {
  const Walk w = walk(*e.x[0].shape, e[starts], e[steps]);
  kernels::copy_from(e.x[0], w.first, w.strides, e.y, e.workers);
}

void copy_in(const Eval& e) {
  kernels::clear(e.y);
  const Walk w = walk(*e.y.shape, e[starts], e[steps]);
  const Shape& part = *e.x[0].shape;
  const auto own = kernels::strides_of(part);
  kernels::Box box;
  box.first_to = w.first;
  for (std::size_t k = 0; k < part.rank(); ++k) box.add_axis({part[k], own[k], w.strides[k]});
  kernels::copy_box(box, e.x[0], e.y, e.workers);
}

// The leading axes that are taken as they are.
std::size_t whole_axes(const Call& c, std::size_t) {
  const Shape &x = c.shape(0), &y = c.y.shape();
  std::size_t k = 0;
  while (k < x.rank() && x[k] == y[k] && c[steps][k] == 1) ++k;
  return k;
}

Var take(Var x, const Shape& part, Ints first, Ints step, Where where = Where::here()) {
  return x.tape().record(slice_op, {x}, {part.extents(), first, step}, where);
}

// One axis of NumPy's x[start:stop:step]: its first position and how many there are.
struct Range {
  std::int64_t start, size, step;
};
Range resolve(std::int64_t start, std::int64_t stop, std::int64_t step, std::int64_t extent) {
  if (step == 0) throw ValueError("slice: a step of 0 leads nowhere; use 1 or -1");
  const std::int64_t longest = std::max<std::int64_t>(extent, 1);
  step = std::clamp(step, -longest, longest);
  const std::int64_t least = step > 0 ? 0 : -1, most = step > 0 ? extent : extent - 1;
  const auto within = [&](std::int64_t at) { return std::clamp(at < 0 ? at + extent : at, least, most); };
  start = within(start);
  stop = within(stop);
  const std::int64_t distance = step > 0 ? stop - start : start - stop, stride = std::abs(step);
  if (distance <= 0) return {0, 0, 1};
  const std::int64_t size = (distance + stride - 1) / stride;
  return {start, size, size == 1 ? 1 : step};
}

}  // namespace

// y[i] = x[starts + i * steps]
constinit const Op slice_op{
    .name = "slice",
    .inputs = {"x"},
    .attrs = {shape, starts, steps},
    .formula = "y[i, j, ...] = x[starts[0] + i steps[0], starts[1] + j steps[1], ...]",
    .jacobian = "rows of the identity",
    .structure = Structure::selection,
    .leading = whole_axes,
    .infer = infer_slice,
    .eval = copy_out,
    .vjp = {[](const Call& c, Var g) {
      return g.tape().record(unslice_op, {g}, {c.shape(0).extents(), c[starts], c[steps]}, Where::here());
    }},
    .jvp = rule::linear,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          const std::int64_t n = x[0].shape()[0];
          return take(x[0], Shape(batched::before(n, c[shape])), batched::before(0, c[starts]),
                      batched::before(1, c[steps]));
        },
};

// The transpose of slice: y[starts + i * steps] = x[i], and 0 elsewhere.
constinit const Op unslice_op{
    .name = "unslice",
    .inputs = {"x"},
    .attrs = {shape, starts, steps},
    .formula = "y[starts[0] + i steps[0], starts[1] + j steps[1], ...] = x[i, j, ...], 0 elsewhere",
    .jacobian = "columns of the identity",
    .structure = Structure::selection,
    .leading = whole_axes,
    .infer = infer_unslice,
    .eval = copy_in,
    .vjp = {[](const Call& c, Var g) { return take(g, c.shape(0), c[starts], c[steps]); }},
    .jvp = rule::linear,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          const auto whole = batched::before(x[0].shape()[0], c[shape]),
                     first = batched::before(0, c[starts]), step = batched::before(1, c[steps]);
          return x[0].tape().record(unslice_op, {x[0]}, {Ints(whole), Ints(first), Ints(step)},
                                    Where::here());
        },
};

Var slice(Var x, const std::vector<std::int64_t>& from, const std::vector<std::int64_t>& to,
          const std::vector<std::int64_t>& by, Where where) {
  const Shape& whole = x.shape();
  if (from.size() > whole.rank() || to.size() != from.size() || (!by.empty() && by.size() != from.size())) {
    throw ShapeError("slice: " + std::to_string(from.size()) + " starts, " + std::to_string(to.size()) +
                     " stops and " + std::to_string(by.size()) + " steps for the axes of " +
                     to_string(whole) + "; give one of each for every leading axis");
  }
  std::vector<std::int64_t> first(whole.rank(), 0), step(whole.rank(), 1);
  std::vector<std::int64_t> extents(whole.begin(), whole.end());
  for (std::size_t k = 0; k < from.size(); ++k) {
    const Range range = resolve(from[k], to[k], by.empty() ? 1 : by[k], whole[k]);
    first[k] = range.start;
    step[k] = range.step;
    extents[k] = range.size;
  }
  return take(x, Shape(std::move(extents)), first, step, where);
}

Var pad(Var x, const std::vector<std::int64_t>& before, const std::vector<std::int64_t>& after, Where where) {
  const Shape& part = x.shape();
  if (before.size() != part.rank() || after.size() != part.rank()) {
    throw ShapeError("pad: " + std::to_string(before.size()) + " and " + std::to_string(after.size()) +
                     " widths for " + to_string(part) + "; give one before and one after for every axis");
  }
  std::vector<std::int64_t> extents;
  for (std::size_t k = 0; k < part.rank(); ++k) {
    if (before[k] < 0 || after[k] < 0) {
      throw ShapeError("pad: widths " + std::to_string(before[k]) + " and " + std::to_string(after[k]) +
                       " of axis " + std::to_string(k) + " are negative; use slice()");
    }
    std::int64_t extent = part[k];
    if (__builtin_add_overflow(extent, before[k], &extent) ||
        __builtin_add_overflow(extent, after[k], &extent)) {
      throw ShapeError("pad: axis " + std::to_string(k) + " would be too long");
    }
    extents.push_back(extent);
  }
  const Shape whole(std::move(extents), "pad");
  const std::vector<std::int64_t> ones(part.rank(), 1);
  return x.tape().record(unslice_op, {x}, {whole.extents(), Ints(before), Ints(ones)}, where);
}

Var select(Var x, std::int64_t axis, std::int64_t index, Where where) {
  const Shape& whole = x.shape();
  const std::size_t k = normalize_axis("select", axis, whole.rank());
  const std::int64_t at = index < 0 ? index + whole[k] : index;
  if (at < 0 || at >= whole[k]) {
    throw ValueError("select: index " + std::to_string(index) + " lies outside axis " + std::to_string(axis) +
                     " of " + to_string(whole));
  }
  std::vector<std::int64_t> first(whole.rank(), 0), extents(whole.begin(), whole.end());
  const std::vector<std::int64_t> ones(whole.rank(), 1);
  first[k] = at;
  extents[k] = 1;
  const Var row = take(x, Shape(extents), first, ones, where);
  return squeeze(row, {static_cast<std::int64_t>(k)}, where);
}

std::vector<Var> split(Var x, const std::vector<std::int64_t>& sizes, std::int64_t axis, Where where) {
  const Shape& whole = x.shape();
  const std::size_t k = normalize_axis("split", axis, whole.rank());
  std::int64_t total = 0;
  bool fits = true;
  for (std::int64_t size : sizes) {
    fits = fits && size >= 0 && size <= whole[k] - total;
    total += fits ? size : 0;
  }
  if (!fits || total != whole[k]) {
    throw ShapeError("split: the sizes do not add up to axis " + std::to_string(axis) + " of " +
                     to_string(whole));
  }
  std::vector<std::int64_t> first(whole.rank(), 0), extents(whole.begin(), whole.end());
  const std::vector<std::int64_t> ones(whole.rank(), 1);
  std::vector<Var> parts;
  parts.reserve(sizes.size());
  for (std::int64_t size : sizes) {
    extents[k] = size;
    parts.push_back(take(x, Shape(extents), first, ones, where));
    first[k] += size;
  }
  return parts;
}

std::vector<Var> split_every(Var x, std::int64_t size, std::int64_t axis, Where where) {
  const std::int64_t whole = x.shape()[normalize_axis("split_every", axis, x.shape().rank())];
  if (size <= 0) throw ShapeError("split_every: parts of " + std::to_string(size) + " fill no axis");
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(whole / size), size);
  if (whole % size != 0 || whole == 0) sizes.push_back(whole % size);
  return split(x, sizes, axis, where);
}

std::vector<Var> chunk(Var x, std::int64_t count, std::int64_t axis, Where where) {
  const std::int64_t whole = x.shape()[normalize_axis("chunk", axis, x.shape().rank())];
  if (count <= 0) throw ShapeError("chunk: " + std::to_string(count) + " parts; ask for one at least");
  return split_every(x, std::max<std::int64_t>(whole / count + (whole % count != 0 ? 1 : 0), 1), axis, where);
}

}  // namespace backdrop
