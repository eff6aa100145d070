#include <backdrop/core/error.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>
#include <vector>

#include "kernels/strided.hpp"
#include "parts/batched.hpp"
#include "parts/operands.hpp"

namespace backdrop {

namespace {

constexpr auto axis = attr::integer("axis");

Type infer_concat(const Call& c) {
  if (c.arity() == 0) throw ShapeError("concat: takes at least one input");
  const Shape& first = c.shape(0);
  if (c[axis] < 0 || c[axis] >= static_cast<std::int64_t>(first.rank())) {
    throw ShapeError("concat: axis " + std::to_string(c[axis]) + " lies outside " + to_string(first));
  }
  const auto along = static_cast<std::size_t>(c[axis]);
  std::vector<std::int64_t> extents(first.begin(), first.end());
  for (std::size_t k = 1; k < c.arity(); ++k) {
    if (c.dtype(k) != c.dtype(0)) {
      throw DTypeError("concat: " + to_string(c.dtype(0)) + " and " + to_string(c.dtype(k)) +
                       " do not mix; cast one of them");
    }
    const Shape& shape = c.shape(k);
    bool fits = shape.rank() == first.rank();
    for (std::size_t d = 0; fits && d < first.rank(); ++d) fits = d == along || shape[d] == first[d];
    if (!fits) {
      throw ShapeError("concat: " + to_string(first) + " and " + to_string(shape) +
                       " differ outside of axis " + std::to_string(c[axis]));
    }
    if (__builtin_add_overflow(extents[along], shape[along], &extents[along])) {
      throw ShapeError("concat: the parts are too long together");
    }
  }
  return {c.dtype(0), c.tape.intern(Shape(std::move(extents), c.name()))};
}

void join(const Eval& e) {
  if (e.y.dtype == DType::mask) kernels::clear(e.y);  // the padding bits, too
  const auto along = static_cast<std::size_t>(e[axis]);
  std::int64_t rows = 1, inner = 1;
  for (std::size_t d = 0; d < along; ++d) rows *= (*e.y.shape)[d];
  for (std::size_t d = along + 1; d < e.y.shape->rank(); ++d) inner *= (*e.y.shape)[d];
  const std::int64_t pitch = (*e.y.shape)[along] * inner;
  kernels::Box box;
  box.rank = 2;
  for (std::size_t k = 0; k < e.call.arity(); ++k) {
    const std::int64_t run = (*e.x[k].shape)[along] * inner;
    box.axes[0] = {rows, run, pitch};
    box.axes[1] = {run, 1, 1};
    kernels::copy_box(box, e.x[k], e.y, e.workers);
    box.first_to += run;
  }
}

Var part(const Call& c, Var g, std::size_t k) {
  const auto along = static_cast<std::size_t>(c[axis]);
  std::vector<std::int64_t> starts(along + 1, 0), stops(along + 1, kEnd);
  for (std::size_t j = 0; j < k; ++j) starts[along] += c.shape(j)[along];
  stops[along] = starts[along] + c.shape(k)[along];
  return slice(g, starts, stops);
}

}  // namespace

// y = x0, x1, ... laid side by side along `axis`
constinit const Op concat_op{
    .name = "concat",
    .inputs = {"x..."},
    .attrs = {axis},
    .formula = "y = x0, x1, ... one after another along axis",
    .jacobian = "[columns of the identity for x0, for x1, ...]",
    .structure = Structure::selection,
    .leading = [](const Call& c, std::size_t) { return static_cast<std::size_t>(c[axis]); },
    .infer = infer_concat,
    .eval = join,
    .vjp = part,
    .jvp = rule::linear,
    .batch = [](const Call& c, std::span<const Var> x) { return concat(batched::all(c, x), c[axis] + 1); },
};

Var concat(const std::vector<Var>& parts, std::int64_t along, Where where) {
  if (parts.empty()) throw ShapeError("concat: takes at least one input");
  const auto k = static_cast<std::int64_t>(normalize_axis("concat", along, parts[0].shape().rank()));
  return parts[0].tape().record(concat_op, parts, std::initializer_list<AttrValue>{k}, where);
}

Var stack(const std::vector<Var>& parts, std::int64_t along, Where where) {
  if (parts.empty()) throw ShapeError("stack: takes at least one input");
  const Shape shape = parts[0].shape();
  const std::size_t k = normalize_axis("stack", along, shape.rank() + 1);
  for (const Var& v : parts) {
    if (v.shape() == shape) continue;
    throw ShapeError("stack: shapes differ: " + to_string(shape) + " and " + to_string(v.shape()));
  }
  return all_or_nothing(parts[0].tape(), [&] {
    std::vector<Var> layers;
    layers.reserve(parts.size());
    for (const Var& v : parts) layers.push_back(unsqueeze(v, static_cast<std::int64_t>(k), where));
    return concat(layers, static_cast<std::int64_t>(k), where);
  });
}

}  // namespace backdrop
