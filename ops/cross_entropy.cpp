#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <backdrop/ops/index.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/loss.hpp>
#include <backdrop/ops/reduce.hpp>
#include <limits>
#include <string>
#include <vector>

#include "kernels/softmax.hpp"
#include "parts/batched.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr auto reduction = attr::integer("reduction").between(0, 2).or_else(0);
constexpr auto factor = attr::real("factor");

Reduction reduction_of(const Call& c) { return static_cast<Reduction>(c[reduction]); }

// Scores [N, C], and labels [N].
void require_labels(const Call& c) {
  infer::require_float(c, 0);
  infer::require_dtype(c, 1, DType::i64, ", the number of the class");
  if (c.shape(0).rank() == 2 && c.shape(1) == Shape{c.shape(0)[0]}) return;
  throw ShapeError(std::string(c.name()) + ": " + c.node.op->inputs[0] + " " + to_string(c.shape(0)) +
                   " and labels " + to_string(c.shape(1)) + " must have shapes [N, C] and [N]");
}

Type infer_cross_entropy(const Call& c) {
  require_labels(c);
  const bool each = reduction_of(c) == Reduction::none;
  return {c.dtype(0), c.tape.intern(each ? Shape{c.shape(0)[0]} : Shape{})};
}

Type infer_label_loss(const Call& c) {
  require_labels(c);
  infer::require_same_type(c, 0, 2);
  return {c.dtype(0), c.type(1).shape};
}

Type infer_label_excess(const Call& c) {
  require_labels(c);
  infer::require_dtype(c, 2, c.dtype(0), ", as p is");
  infer::require_same_shape(c, 1, 2);
  return c.type(0);
}

double least_normal(DType dtype) {
  return dtype == DType::f32 ? double{std::numeric_limits<float>::min()} : std::numeric_limits<double>::min();
}

std::size_t rows_alone(const Call&, std::size_t) { return 1; }

// The losses of the rows brought to the shape of the output.
Var reduced(const Call& c, Var losses) {
  if (reduction_of(c) == Reduction::none) return losses;
  return reduction_of(c) == Reduction::mean ? mean(losses) : sum(losses);
}

// p - one_hot(labels)
Var excess(Var p, Var labels) { return sub(p, one_hot(labels, p.shape()[1], p.dtype())); }

Var pull(const Call& c, Var g) {
  const std::int64_t rows = c.shape(0)[0];
  const double share = reduction_of(c) == Reduction::mean && rows > 0 ? 1 / static_cast<double>(rows) : 1;
  return label_excess(softmax(c[0], 1), c[1], broadcast_to(g, {rows}), share);
}

Var push(const Call& c, Var t) {
  if (c.shape(0)[0] == 0) return Var{};  // not the mean of nothing, which is NaN
  return reduced(c, sum(mul(t, excess(softmax(c[0], 1), c[1])), {1}));
}

// The rows of many values as rows of one.
Var one_below_another(Var x) {
  const Shape& shape = x.shape();
  std::vector<std::int64_t> extents(shape.begin() + 1, shape.end());
  extents[0] *= shape[0];
  return reshape(x, extents);
}

// The op on the rows of all values.
template <class F>
Var on_all_rows(const Call& c, std::span<const Var> x, F op) {
  const std::vector<Var> all = batched::all(c, x);
  const Var y = op(one_below_another(all[0]), one_below_another(all[1]), one_below_another(all[2]));
  return reshape(y, Shape(batched::before(batched::size(c, x), c.y.shape().extents())));
}

Var row_after_row(const Call& c, std::span<const Var> x) {
  const std::vector<Var> all = batched::all(c, x);
  const std::int64_t n = batched::size(c, x), rows = c.shape(0)[0];
  const Var losses = cross_entropy(one_below_another(all[0]), one_below_another(all[1]), Reduction::none);
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
    .infer = infer_cross_entropy,
    .vjp = {pull},
    .jvp = {push},
    .body = [](const Call& c) { return reduced(c, label_loss(softmax(c[0], 1), c[1], c[0])); },
    .batch = row_after_row,
    .tolerance = 16,
};

// y = log(sum of p) - log(p[n, labels[n]])
constinit const Op label_loss_op{
    .name = "label_loss",
    .inputs = {"p", "labels", "logits"},
    .formula =
        "y[n] = log(sum of p[n]) - log(p[n, labels[n]]); where p[n, labels[n]] underflows, that of "
        "p = softmax(logits)",
    .jacobian =
        "1 / sum of p[n], less 1 / p[n, labels[n]] there; where that underflows, softmax(logits) - "
        "one_hot(labels) in logits",
    .leading = rows_alone,
    .by_panels = true,
    .checks_values = true,
    .infer = infer_label_loss,
    .eval = kernels::label_loss,
    .body =
        [](const Call& c) {
          const Var column = reshape(c[1], {c.shape(1)[0], 1});
          const auto at_labels = [&](Var x) { return reshape(gather(x, column, 1), c.shape(1)); };
          const Var p = at_labels(c[0]), seen = greater_equal(p, least_normal(c.dtype(0)));
          const Var row_seen = broadcast_to(reshape(seen, column.shape()), c.shape(0));
          const Var logits =
              where(row_seen, 0.0, c[2]);  // those that do not count have no derivative to mask
          return where(seen, sub(log(sum(c[0], {1})), log(where(seen, p, 1.0))),
                       neg(at_labels(log_softmax(logits, 1))));
        },
    .batch =
        [](const Call& c, std::span<const Var> x) {
          return on_all_rows(c, x,
                             [](Var p, Var labels, Var logits) { return label_loss(p, labels, logits); });
        },
    .tolerance = 16,
};

// y = factor g (p - one_hot(labels))
constinit const Op label_excess_op{
    .name = "label_excess",
    .inputs = {"p", "labels", "g"},
    .attrs = {factor},
    .formula = "y[n, k] = factor g[n] (p[n, k] - one_hot(labels)[n, k])",
    .jacobian = "[diag(factor g[n]), factor (p - one_hot(labels))]",
    .leading = rows_alone,
    .by_panels = true,
    .checks_values = true,
    .infer = infer_label_excess,
    .eval = [](const Eval& e) { kernels::label_excess(e, e[factor]); },
    .body =
        [](const Call& c) {
          const Var g = reshape(scale(c[2], c[factor]), {c.shape(2)[0], 1});
          return mul(excess(c[0], c[1]), broadcast_to(g, c.shape(0)));
        },
    .batch =
        [](const Call& c, std::span<const Var> x) {
          return on_all_rows(c, x,
                             [&](Var p, Var labels, Var g) { return label_excess(p, labels, g, c[factor]); });
        },
    .exact = true,
};

Var label_loss(Var p, Var labels, Var logits, Where where) {
  return p.tape().record(label_loss_op, {p, labels, logits}, {}, where);
}

Var label_excess(Var p, Var labels, Var g, double times, Where where) {
  return p.tape().record(label_excess_op, {p, labels, g}, {times}, where);
}

Var cross_entropy(Var logits, Var labels, Reduction how, Where where) {
  return logits.tape().record(cross_entropy_op, {logits, labels}, {static_cast<std::int64_t>(how)}, where);
}

}  // namespace backdrop
