#pragma once

#include <backdrop/core/op.hpp>

/// The softmax family, and losses.
namespace backdrop {

extern const Op softmax_op;
extern const Op log_softmax_op;
extern const Op cross_entropy_op;
extern const Op mse_op;

/// y = e^x / sum of e^x along `axis` (negative: from the last), shifted so that nothing overflows. f32 or
/// f64. A line of -inf alone, or with +inf or NaN in it, gives NaN. Throws ShapeError for a bad or empty
/// axis.
Var softmax(Var x, std::int64_t axis = -1, Where where = Where::here());

/// y = x - log(sum of e^x) along `axis`: log(softmax(x)) without its loss of digits. As softmax otherwise.
Var log_softmax(Var x, std::int64_t axis = -1, Where where = Where::here());

/// What becomes of the losses of a batch.
enum class Reduction : std::uint8_t { mean, sum, none };

/// -log_softmax(logits)[n, labels[n]] for logits [N, C] (f32 or f64) and labels [N] (i64): their mean (NaN
/// when N = 0), sum, or all of them. Jacobian of the mean: (softmax - one_hot) / N. Throws ShapeError and
/// DTypeError, and ValueError when run with a label outside [0, C).
Var cross_entropy(Var logits, Var labels, Reduction reduction = Reduction::mean, Where where = Where::here());

/// The mean of (a - b)^2 over all elements, broadcast by NumPy's rule. f32 or f64, the same on both sides.
Var mse(Var a, Var b, Where where = Where::here());

}  // namespace backdrop
