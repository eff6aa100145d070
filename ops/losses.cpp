#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/loss.hpp>
#include <limits>
#include <string>
#include <vector>

#include "parts/infer.hpp"
#include "parts/operands.hpp"
#include "parts/reduce_losses.hpp"

namespace backdrop {

namespace {

constexpr double kLargest = std::numeric_limits<double>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr auto delta = attr::real("delta").between(std::numeric_limits<double>::denorm_min(), kLargest);
constexpr auto log_target = attr::boolean("log_target");

// The derivative of huber in a
Var clipped(const Call& c) { return clip(sub(c[0], c[1]), -c[delta], c[delta]); }

// With d = clip(a - b, delta) both branches are d (a - b - d/2).
Var huber_body(const Call& c) {
  const Var d = clipped(c);
  return mul(d, sub(sub(c[0], c[1]), scale(d, 0.5)));
}

constexpr double kLeastLog = -100;
Var log_kept(Var x) { return clip(log(x), kLeastLog, kInfinity); }
Var log_dropped(Var x) { return clip(log1p(neg(x)), kLeastLog, kInfinity); }

Type infer_bce_with_logits(const Call& c) {
  if (c.arity() > 3) throw ShapeError("bce_with_logits: more than one pos_weight");
  return infer::same(c);
}

Var bce_with_logits_body(const Call& c) {
  Var positive = mul(c[1], softplus(neg(c[0])));
  if (c.arity() > 2) positive = mul(c[2], positive);
  return add(positive, mul(1 - c[1], softplus(c[0])));
}

Var kl_div_body(const Call& c) {
  if (c[log_target]) return mul(exp(c[1]), sub(c[1], c[0]));
  const Var none = equal(c[1], 0.0);
  const Var some = masked_fill(c[1], none, 1);
  return masked_fill(mul(some, sub(log(some), c[0])), none, 0);
}

Var record_reduced(const Op& op, Var a, Var b, std::initializer_list<AttrValue> attrs, Reduction how,
                   Where where) {
  return all_or_nothing(a.tape(), [&] {
    const auto [x, y] = broadcast_together(op.name, a, b, where);
    return reduce_losses(x.tape().record(op, {x, y}, attrs, where), how, where);
  });
}

}  // namespace

// y = |a - b|
constinit const Op l1_op{
    .name = "l1",
    .inputs = {"a", "b"},
    .formula = "y = |a - b|",
    .jacobian = "[diag(sign(a - b)), diag(sign(b - a))]",
    .singular = "a = b: 0",
    .structure = Structure::diagonal,
    .infer = infer::same,
    .body = [](const Call& c) { return abs(sub(c[0], c[1])); },
    .exact = true,
};

// y = d^2/2 if |d| <= delta, else delta (|d| - delta/2), d = a - b
constinit const Op huber_op{
    .name = "huber",
    .inputs = {"a", "b"},
    .attrs = {delta},
    .formula = "y = d^2/2 if |d| <= delta, else delta (|d| - delta/2), with d = a - b",
    .jacobian = "[diag(clip(d, -delta, delta)), -diag(clip(d, -delta, delta))]",
    .structure = Structure::diagonal,
    .infer = infer::same,
    .derivative = {[](const Call& c) { return clipped(c); }, [](const Call& c) { return neg(clipped(c)); }},
    .body = huber_body,
    .tolerance = 16,
};

// y = -(t ln x + (1-t) ln(1-x))
constinit const Op bce_op{
    .name = "bce",
    .inputs = {"probabilities", "targets"},
    .formula = "y = -(t max(ln x, -100) + (1-t) max(ln(1-x), -100)), x = probabilities, t = targets",
    .jacobian = "[diag((x - t) / max(x (1-x), 1e-12)), diag(ln(1-x) - ln x)]",
    .singular = "x = 0, x = 1: (x - t) 1e12",
    .structure = Structure::diagonal,
    .infer = infer::same,
    .derivative = {[](const Call& c) { return (c[0] - c[1]) / maximum(c[0] * (1 - c[0]), 1e-12); },
                   [](const Call& c) { return log_dropped(c[0]) - log_kept(c[0]); }},
    .body = [](const Call& c) { return neg(c[1] * log_kept(c[0]) + (1 - c[1]) * log_dropped(c[0])); },
    .tolerance = 64,
};

// y = w t ln(1 + e^-x) + (1-t) ln(1 + e^x)
constinit const Op bce_with_logits_op{
    .name = "bce_with_logits",
    .inputs = {"logits", "targets", "pos_weight..."},
    .formula = "y = w t softplus(-x) + (1-t) softplus(x), x = logits, t = targets, w = pos_weight or 1",
    .jacobian =
        "[diag((1-t) s(x) - w t s(-x)), diag(w softplus(-x) - softplus(x)), diag(t softplus(-x))], s "
        "= sigmoid",
    .structure = Structure::diagonal,
    .infer = infer_bce_with_logits,
    .body = bce_with_logits_body,
    .tolerance = 64,
};

// y = t (ln t - x)
constinit const Op kl_div_op{
    .name = "kl_div",
    .inputs = {"log_probs", "targets"},
    .attrs = {log_target},
    .formula = "y = t (ln t - x), x = log_probs, t = targets or, if log_target, e^targets",
    .jacobian = "[diag(-t), diag(ln t + 1 - x)]; if log_target, [diag(-t), diag(y + t)]",
    .singular = "t = 0: 0",
    .structure = Structure::diagonal,
    .infer = infer::same,
    .body = kl_div_body,
    .tolerance = 64,
};

Var l1(Var a, Var b, Reduction how, Where where) { return record_reduced(l1_op, a, b, {}, how, where); }

Var huber(Var a, Var b, double bound, Reduction how, Where where) {
  return record_reduced(huber_op, a, b, {bound}, how, where);
}

Var smooth_l1(Var a, Var b, double beta, Reduction how, Where where) {
  if (beta == 0) return l1(a, b, how, where);
  return all_or_nothing(a.tape(), [&] { return div(huber(a, b, beta, how, where), beta, where); });
}

Var bce(Var probabilities, Var targets, const BceOptions& options, Where where) {
  return all_or_nothing(probabilities.tape(), [&] {
    Var y = record_reduced(bce_op, probabilities, targets, {}, Reduction::none, where);
    if (options.weight) y = mul(y, options.weight, where);
    return reduce_losses(y, options.reduction, where);
  });
}

Var bce_with_logits(Var logits, Var targets, const BceWithLogitsOptions& options, Where where) {
  return all_or_nothing(logits.tape(), [&] {
    std::vector<Var> inputs{logits, targets};
    if (options.pos_weight) inputs.push_back(options.pos_weight);
    Shape common = inputs[0].shape();
    for (const Var& v : inputs) common = broadcast("bce_with_logits", common, v.shape());
    for (Var& v : inputs) {
      if (v.shape() != common) v = broadcast_to(v, common, where);
    }
    Var y = logits.tape().record(bce_with_logits_op, inputs, std::initializer_list<AttrValue>{}, where);
    if (options.weight) y = mul(y, options.weight, where);
    return reduce_losses(y, options.reduction, where);
  });
}

Var kl_div(Var log_probs, Var targets, const KlDivOptions& options, Where where) {
  return record_reduced(kl_div_op, log_probs, targets, {options.log_target}, options.reduction, where);
}

}  // namespace backdrop
