#pragma once

#include <backdrop/core/op.hpp>
#include <optional>

/// The softmax family, and losses.
namespace backdrop {

extern const Op softmax_op;
extern const Op log_softmax_op;
extern const Op cross_entropy_op;
extern const Op label_loss_op;
extern const Op label_excess_op;
extern const Op nll_op;
extern const Op mse_op;
extern const Op l1_op;
extern const Op huber_op;
extern const Op bce_op;
extern const Op bce_with_logits_op;
extern const Op kl_div_op;

/// y = e^x / sum of e^x along `axis` (negative: from the last), shifted so that nothing overflows. f32 or
/// f64. A line of -inf alone, or with +inf or NaN in it, gives NaN. Throws ShapeError for a bad or empty
/// axis.
Var softmax(Var x, std::int64_t axis = -1, Where where = Where::here());

/// y = x - log(sum of e^x) along `axis`: log(softmax(x)) without its loss of digits. As softmax otherwise.
Var log_softmax(Var x, std::int64_t axis = -1, Where where = Where::here());

/// What becomes of the losses of a batch: their mean, their sum, all of them; or their sum divided by the
/// extent of axis 0, which is for losses of elements only.
enum class Reduction : std::uint8_t { mean, sum, none, batchmean };

/// -log_softmax(logits)[n, labels[n]] for logits [N, C] (f32 or f64) and labels [N] (i64): their mean (NaN
/// when N = 0), sum, or all of them. Jacobian of the mean: (softmax - one_hot) / N. Throws ShapeError and
/// DTypeError, and ValueError when run with a label outside [0, C).
Var cross_entropy(Var logits, Var labels, Reduction reduction = Reduction::mean, Where where = Where::here());

/// What cross_entropy is made of: log(sum of p[n]) - log(p[n, l]), l = labels[n], for p [N, C] and labels
/// [N]. Where p[n, l] underflows, p counts as softmax(logits); logits are as p, and else not looked at.
/// Throws as cross_entropy.
Var label_loss(Var p, Var labels, Var logits, Where where = Where::here());

/// And its derivative: factor g[n] (p[n, k] - 1 where k = labels[n]) for p [N, C], labels [N] and g [N].
/// Throws as cross_entropy.
Var label_excess(Var p, Var labels, Var g, double factor = 1, Where where = Where::here());

/// `weight` [C] weighs each position by its class. Positions labelled `ignore_index` count for nothing, not
/// even in the mean, which is the sum divided by the sum of weights. (PyTorch ignores -100 unasked.)
struct NllOptions {
  Var weight{};
  std::optional<std::int64_t> ignore_index{};
  Reduction reduction = Reduction::mean;
};

/// -weight[l] log_probs[n, l, ...] with l = labels[n, ...], for log_probs [C], [N, C] or [N, C, ...] and
/// labels (i64) of that shape without the axis C. The mean over nothing is NaN. Throws ShapeError and
/// DTypeError, and ValueError when run with another label outside [0, C).
Var nll(Var log_probs, Var labels, const NllOptions& options = {}, Where where = Where::here());

/// As NllOptions; and label_smoothing = s, in [0, 1], takes (1-s) target + s/C as the target (Szegedy et al.,
/// arXiv:1512.00567).
struct CrossEntropyOptions {
  Var weight{};
  std::optional<std::int64_t> ignore_index{};
  double label_smoothing = 0;
  Reduction reduction = Reduction::mean;
};

/// The cross entropy of log_softmax(logits) over the classes, axis 1 (0 where logits have rank 1), and a
/// target: labels (i64) as in nll, or probabilities in the shape of logits, which weight weighs by class and
/// whose mean divides by the number of positions, as in PyTorch. Throws as nll; ValueError for an
/// ignore_index with probabilities.
Var cross_entropy(Var logits, Var target, const CrossEntropyOptions& options, Where where = Where::here());

// Losses of elements: both operands broadcast by NumPy's rule and are f32 or f64, the same on both sides
// (ShapeError, DTypeError).

/// (a - b)^2, reduced.
Var mse(Var a, Var b, Reduction reduction = Reduction::mean, Where where = Where::here());

/// |a - b|, reduced; its derivative where a = b is 0.
Var l1(Var a, Var b, Reduction reduction = Reduction::mean, Where where = Where::here());

/// (a - b)^2 / 2 where |a - b| <= delta, else delta (|a - b| - delta/2), reduced. Throws ValueError unless
/// delta > 0. Huber 1964.
Var huber(Var a, Var b, double delta = 1, Reduction reduction = Reduction::mean, Where where = Where::here());

/// huber / beta: (a - b)^2 / (2 beta) near 0, |a - b| - beta/2 beyond; l1 for beta = 0. Girshick,
/// arXiv:1504.08083.
Var smooth_l1(Var a, Var b, double beta = 1, Reduction reduction = Reduction::mean,
              Where where = Where::here());

/// `weight` multiplies the losses and broadcasts.
struct BceOptions {
  Var weight{};
  Reduction reduction = Reduction::mean;
};

/// -(t ln x + (1-t) ln(1-x)) for probabilities x and targets t in [0, 1], reduced. As in PyTorch logarithms
/// stop at -100, and the derivative in x is (x - t) / max(x (1-x), 1e-12).
Var bce(Var probabilities, Var targets, const BceOptions& options = {}, Where where = Where::here());

/// `pos_weight` multiplies the term of positive targets; both broadcast.
struct BceWithLogitsOptions {
  Var weight{};
  Var pos_weight{};
  Reduction reduction = Reduction::mean;
};

/// bce(sigmoid(x), t) without its loss of digits: pos_weight t softplus(-x) + (1-t) softplus(x), reduced.
Var bce_with_logits(Var logits, Var targets, const BceWithLogitsOptions& options = {},
                    Where where = Where::here());

struct KlDivOptions {
  bool log_target = false;  ///< targets are logarithms of probabilities, too
  Reduction reduction = Reduction::mean;
};

/// t (ln t - x) for logarithms of probabilities x and targets t, reduced; 0 where t = 0, with derivatives 0
/// (but NaN where a log_target is -Inf). The divergence of distributions that lie along the last axes is the
/// batchmean, not the mean, as in PyTorch.
Var kl_div(Var log_probs, Var targets, const KlDivOptions& options = {}, Where where = Where::here());

}  // namespace backdrop
