#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/index.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/loss.hpp>
#include <backdrop/ops/reduce.hpp>
#include <string>

#include "kernels/softmax.hpp"
#include "parts/batched.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr auto reduction = attr::integer("reduction").between(0, 2).or_else(0);

Reduction reduction_of(const Call& c) { return static_cast<Reduction>(c[reduction]); }

Type infer_cross_entropy(const Call& c) {
  infer::require_float(c, 0);
  infer::require_dtype(c, 1, DType::i64, ", the number of the class");
  const Shape& logits = c.shape(0);
  if (logits.rank() != 2 || c.shape(1) != Shape{logits[0]}) {
    throw ShapeError("cross_entropy: logits " + to_string(logits) + " and labels " + to_string(c.shape(1)) +
                     " must have shapes [N, C] and [N]");
  }
  const bool each = reduction_of(c) == Reduction::none;
  return {c.dtype(0), c.tape.intern(each ? Shape{logits[0]} : Shape{})};
}

// The losses of the rows brought to the shape of the output.
Var reduced(const Call& c, Var losses) {
  if (reduction_of(c) == Reduction::none) return losses;
  return reduction_of(c) == Reduction::mean ? mean(losses) : sum(losses);
}

// d(loss of a row) / d(its logits)
Var excess(const Call& c) { return sub(softmax(c[0], 1), one_hot(c[1], c.shape(0)[1], c.dtype(0))); }

Var pull(const Call& c, Var g) {
  const std::int64_t rows = c.shape(0)[0];
  if (reduction_of(c) == Reduction::mean) g = scale(g, 1 / static_cast<double>(rows));
  g = reduction_of(c) == Reduction::none ? reshape(g, {rows, 1}) : g;
  return mul(excess(c), broadcast_to(g, c.shape(0)));
}

Var push(const Call& c, Var t) {
  if (c.shape(0)[0] == 0) return Var{};  // not the mean of nothing, which is NaN
  return reduced(c, sum(mul(t, excess(c)), {1}));
}

Var pick_and_reduce(const Call& c) {
  const std::int64_t rows = c.shape(0)[0];
  const Var picked = gather(log_softmax(c[0], 1), reshape(c[1], {rows, 1}), 1);
  return reduced(c, neg(reshape(picked, {rows})));
}

// All rows of all values are rows of one call.
Var row_after_row(const Call& c, std::span<const Var> x) {
  const std::vector<Var> all = batched::all(c, x);
  const std::int64_t n = batched::size(c, x), rows = c.shape(0)[0], classes = c.shape(0)[1];
  const Var losses =
      cross_entropy(reshape(all[0], {n * rows, classes}), reshape(all[1], {n * rows}), Reduction::none);
  const Var each = reshape(losses, {n, rows});
  if (reduction_of(c) == Reduction::none) return each;
  return reduction_of(c) == Reduction::mean ? mean(each, {1}) : sum(each, {1});
}

}  // namespace

// y = -log_softmax(logits)[n, labels[n]], reduced over n
constinit const Op cross_entropy_op{
    .name = "cross_entropy",
    .inputs = {"logits", "labels"},
    .attrs = {reduction},
    .formula = "y = -log_softmax(logits)[n, labels[n]]; reduction over n: 0 mean, 1 sum, 2 none",
    .jacobian = "softmax(logits) - one_hot(labels), over N for the mean",
    .checks_values = true,
    .infer = infer_cross_entropy,
    .eval = [](const Eval& e) { kernels::cross_entropy(e, static_cast<kernels::Losses>(e[reduction])); },
    .vjp = {pull},
    .jvp = {push},
    .body = pick_and_reduce,
    .batch = row_after_row,
    .tolerance = 16,
};

Var cross_entropy(Var logits, Var labels, Reduction how, Where where) {
  return logits.tape().record(cross_entropy_op, {logits, labels}, {static_cast<std::int64_t>(how)}, where);
}

}  // namespace backdrop
