#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/index.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/loss.hpp>
#include <backdrop/ops/reduce.hpp>
#include <string>
#include <vector>

#include "parts/infer.hpp"
#include "parts/operands.hpp"
#include "parts/reduce_losses.hpp"

namespace backdrop {

namespace {

constexpr auto ignored = attr::ints("ignored");
constexpr auto reduction = attr::integer("reduction").between(0, 2);

std::size_t class_axis(const Shape& shape) { return shape.rank() > 1 ? 1 : 0; }

std::vector<std::int64_t> without_classes(const Shape& shape) {
  std::vector<std::int64_t> out(shape.begin(), shape.end());
  out.erase(out.begin() + static_cast<std::ptrdiff_t>(class_axis(shape)));
  return out;
}

void require_fit(const char* op, const Shape& scores, const Shape& labels) {
  if (scores.rank() > 0 && std::ranges::equal(without_classes(scores), labels)) return;
  throw ShapeError(std::string(op) + ": labels " + to_string(labels) + " must have the shape of " +
                   to_string(scores) + " without the classes, its axis 1 (axis 0 of a rank 1)");
}

void require_weight(const char* op, const Shape& scores, const Shape& weight) {
  if (weight == Shape{scores[class_axis(scores)]}) return;
  throw ShapeError(std::string(op) + ": weight " + to_string(weight) + " must have a number for each of " +
                   std::to_string(scores[class_axis(scores)]) + " classes");
}

Type infer_nll(const Call& c) {
  infer::require_float(c, 0);
  infer::require_dtype(c, 1, DType::i64, ", the number of the class");
  const Shape& scores = c.shape(0);
  require_fit("nll", scores, c.shape(1));
  if (c.arity() > 3) throw ShapeError("nll: more than one weight");
  if (c.arity() == 3) {
    infer::require_dtype(c, 2, c.dtype(0), ", as log_probs are");
    require_weight("nll", scores, c.shape(2));
  }
  const bool each = static_cast<Reduction>(c[reduction]) == Reduction::none;
  return {c.dtype(0), c.tape.intern(each ? c.shape(1) : Shape{})};
}

// Labels with the ignored ones replaced by 0, and what the positions count for.
struct Positions {
  Var labels;
  Var skipped;  // mask of the ignored ones; null when none is
  Var weights;  // null when all count for 1
};

Positions positions(Var labels, Var weight, std::span<const std::int64_t> skip, DType dtype) {
  Positions out{labels, {}, {}};
  for (std::int64_t label : skip) {
    const Var same = equal(labels, static_cast<double>(label));
    out.skipped = out.skipped ? logical_or(out.skipped, same) : same;
  }
  if (out.skipped) {
    out.labels = masked_fill(labels, out.skipped, 0);
    out.weights = cast(logical_not(out.skipped), dtype);
  }
  if (weight) {
    const Var of_class = index_select(weight, out.labels);
    out.weights = out.skipped ? masked_fill(of_class, out.skipped, 0) : of_class;
  }
  return out;
}

Var reduce_weighted(Var losses, const Positions& at, Reduction how) {
  if (how != Reduction::mean || !at.weights) return reduce_losses(losses, how);
  return div(sum(losses), sum(at.weights));
}

Var losses_of(Var log_probs, const Positions& at) {
  const auto axis = static_cast<std::int64_t>(class_axis(log_probs.shape()));
  const Var picked = gather(log_probs, unsqueeze(at.labels, axis), axis);
  Var losses = neg(reshape(picked, at.labels.shape()));
  if (at.weights) losses = mul(losses, at.weights);
  return at.skipped ? masked_fill(losses, at.skipped, 0) : losses;  // even where they were infinite
}

Var nll_body(const Call& c) {
  const Positions at = positions(c[1], c.arity() > 2 ? c[2] : Var{}, c[ignored], c.dtype(0));
  return reduce_weighted(losses_of(c[0], at), at, static_cast<Reduction>(c[reduction]));
}

std::vector<std::int64_t> listed(const std::optional<std::int64_t>& label) {
  return label ? std::vector<std::int64_t>{*label} : std::vector<std::int64_t>{};
}

// The sum over classes of weight * x.
Var sum_of_classes(Var x, Var weight) {
  const auto axis = static_cast<std::int64_t>(class_axis(x.shape()));
  if (weight) {
    std::vector<std::int64_t> extents(x.shape().rank() - class_axis(x.shape()), 1);
    extents[0] = -1;
    x = mul(x, reshape(weight, extents));
  }
  return sum(x, {axis});
}

double classes_of(Var logits) { return static_cast<double>(logits.shape()[class_axis(logits.shape())]); }

Var smoothed_labels(Var log_probs, Var labels, const CrossEntropyOptions& options) {
  const auto skip = listed(options.ignore_index);
  const Positions at = positions(labels, options.weight, skip, log_probs.dtype());
  Var others = neg(sum_of_classes(log_probs, options.weight));
  if (at.skipped) others = masked_fill(others, at.skipped, 0);
  const double s = options.label_smoothing;
  const Var losses = add(scale(losses_of(log_probs, at), 1 - s), scale(others, s / classes_of(log_probs)));
  return reduce_weighted(losses, at, options.reduction);
}

Var probabilities(Var log_probs, Var target, const CrossEntropyOptions& options) {
  const double s = options.label_smoothing;
  if (s > 0) target = add(scale(target, 1 - s), s / classes_of(log_probs));
  return reduce_losses(neg(sum_of_classes(mul(target, log_probs), options.weight)), options.reduction);
}

void require_cross_entropy(Var logits, Var target, const CrossEntropyOptions& options) {
  if (!is_float(logits.dtype()) || logits.shape().rank() == 0) {
    throw ShapeError("cross_entropy: logits must be f32 or f64 and have an axis of classes");
  }
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
    throw ValueError("cross_entropy: label_smoothing = " + std::to_string(options.label_smoothing) +
                     " is not within [0, 1]");
  }
  if (options.reduction == Reduction::batchmean) throw ValueError("cross_entropy: takes no batchmean");
  if (options.weight) require_weight("cross_entropy", logits.shape(), options.weight.shape());
  if (target.dtype() == DType::i64) {
    require_fit("cross_entropy", logits.shape(), target.shape());
    return;
  }
  if (options.ignore_index) {
    throw ValueError("cross_entropy: ignore_index is for labels (i64), not for probabilities");
  }
  if (target.dtype() != logits.dtype()) {
    throw DTypeError("cross_entropy: the target is " + to_string(target.dtype()) +
                     ", but must be i64 (labels) or, as the logits, " + to_string(logits.dtype()));
  }
  if (target.shape() != logits.shape()) {
    throw ShapeError("cross_entropy: probabilities " + to_string(target.shape()) +
                     " must have the shape of the logits, " + to_string(logits.shape()));
  }
}

}  // namespace

// y = -weight[labels[n]] log_probs[n, labels[n]], reduced over n
constinit const Op nll_op{
    .name = "nll",
    .inputs = {"log_probs", "labels", "weight..."},
    .attrs = {ignored, reduction},
    .formula =
        "y[n] = -w log_probs[n, labels[n]], w = weight[labels[n]] or 1, and 0 for labels in `ignored`; "
        "reduction over n: 0 sum / sum of w, 1 sum, 2 none",
    .jacobian = "-w one_hot(labels), over the sum of w for the mean",
    .singular = "the mean is NaN when all w are 0",
    .infer = infer_nll,
    .body = nll_body,
    .tolerance = 64,
};

Var nll(Var log_probs, Var labels, const NllOptions& options, Where where) {
  std::vector<Var> inputs{log_probs, labels};
  if (options.weight) inputs.push_back(options.weight);
  const auto skip = listed(options.ignore_index);
  const AttrValue attrs[] = {std::span<const std::int64_t>(skip),
                             static_cast<std::int64_t>(options.reduction)};
  return log_probs.tape().record(nll_op, inputs, attrs, where);
}

Var cross_entropy(Var logits, Var target, const CrossEntropyOptions& options, Where where) {
  require_cross_entropy(logits, target, options);
  const bool plain = !options.weight && !options.ignore_index && options.label_smoothing == 0;
  if (plain && target.dtype() == DType::i64 && logits.shape().rank() == 2) {
    return cross_entropy(logits, target, options.reduction, where);
  }
  return all_or_nothing(logits.tape(), [&] {
    const Var log_probs = log_softmax(logits, static_cast<std::int64_t>(class_axis(logits.shape())), where);
    const Tape::Attribution credit(log_probs.tape(), log_probs.tape().node(log_probs));
    if (target.dtype() != DType::i64) return probabilities(log_probs, target, options);
    if (options.label_smoothing > 0) return smoothed_labels(log_probs, target, options);
    return nll(log_probs, target, {options.weight, options.ignore_index, options.reduction}, where);
  });
}

}  // namespace backdrop
