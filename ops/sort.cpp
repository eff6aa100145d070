#include <algorithm>
#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/index.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/sort.hpp>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "kernels/elementwise.hpp"
#include "parts/batched.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr std::size_t kGrain = 4096;  // elements worth handing to a thread
constexpr auto descending = attr::boolean("descending");

Type infer_argsort(const Call& c) {
  infer::require_float(c, 0);
  if (c.shape(0).rank() == 0) throw ShapeError("argsort: a scalar has no axis; reshape it to [1]");
  return {DType::i64, c.type(0).shape};
}

// The positions themselves break ties, so that the order is one that std::sort finds in place; a stable sort
// would allocate.
template <class T>
void sort_line(const T* x, std::int64_t* order, std::size_t count, bool down) {
  std::iota(order, order + count, std::int64_t{0});
  const auto less = [](T a, T b) { return a < b || (std::isnan(b) && !std::isnan(a)); };
  std::sort(order, order + count, [=](std::int64_t i, std::int64_t j) {
    const T a = x[i], b = x[j];
    if (less(a, b)) return !down;
    if (less(b, a)) return down;
    return i < j;
  });
}

void order_lines(const Eval& e) {
  const Shape& shape = *e.y.shape;
  if (e.y.numel() == 0) return;
  const auto count = static_cast<std::size_t>(shape[shape.rank() - 1]);
  const bool down = e[descending];
  auto* y = e.y.as<std::int64_t>();
  kernels::with_float(e.x[0].dtype, [&]<class T>(T) {
    const T* x = e.x[0].as<const T>();
    e.workers.for_each(e.y.numel() / count, std::max<std::size_t>(kGrain / count, 1),
                       [&](std::size_t begin, std::size_t end) {
                         for (std::size_t line = begin; line < end; ++line) {
                           sort_line(x + line * count, y + line * count, count, down);
                         }
                       });
  });
}

// The order along the axis, as an array like x.
Var positions(Var x, std::size_t axis, bool down, Where where) {
  const std::size_t rank = x.shape().rank();
  const bool last = rank == 0 || axis + 1 == rank;
  const auto at = static_cast<std::int64_t>(axis);
  const Var lines = last ? x : swap_axes(x, at, -1, where);
  const Var order = x.tape().record(argsort_op, {lines}, {down}, where);
  return last ? order : swap_axes(order, at, -1, where);
}

}  // namespace

// y = the order of the last axis
constinit const Op argsort_op{
    .name = "argsort",
    .inputs = {"x"},
    .attrs = {descending},
    .formula = "y = the positions along the last axis that sort x; ties keep their order, NaN is greatest",
    .jacobian = "none: y is an integer",
    .infer = infer_argsort,
    .eval = order_lines,
    .batch = batched::same,
};

Var argsort(Var x, std::int64_t axis, bool down, Where where) {
  const std::size_t at = normalize_axis("argsort", axis, x.shape().rank());
  return all_or_nothing(x.tape(), [&] { return positions(x, at, down, where); });
}

Sorted sort(Var x, std::int64_t axis, bool down, Where where) {
  const std::size_t at = normalize_axis("sort", axis, x.shape().rank());
  return all_or_nothing(x.tape(), [&] {
    const Var order = positions(x, at, down, where);
    return Sorted{gather(x, order, static_cast<std::int64_t>(at), where), order};
  });
}

Sorted topk(Var x, std::int64_t k, std::int64_t axis, bool largest, Where where) {
  const std::size_t at = normalize_axis("topk", axis, x.shape().rank());
  const std::int64_t extent = x.shape()[at];
  if (k < 0 || k > extent) {
    throw ShapeError("topk: k = " + std::to_string(k) + " of the " + std::to_string(extent) +
                     " elements of axis " + std::to_string(axis));
  }
  return all_or_nothing(x.tape(), [&] {
    std::vector<std::int64_t> starts(at + 1, 0), stops(at + 1, kEnd);
    stops[at] = k;
    const Var order = slice(positions(x, at, largest, where), starts, stops, {}, where);
    return Sorted{gather(x, order, static_cast<std::int64_t>(at), where), order};
  });
}

}  // namespace backdrop
