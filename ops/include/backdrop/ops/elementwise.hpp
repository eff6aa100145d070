#pragma once

#include <backdrop/core/op.hpp>

/// Functions of one tensor, element by element. All take f32 or f64 (DTypeError otherwise) and pass NaN on;
/// f32 is computed in f32. Accuracy is that of the C library, within a few units in the last place.
namespace backdrop {

extern const Op exp_op;
extern const Op expm1_op;
extern const Op log_op;
extern const Op log1p_op;
extern const Op sin_op;
extern const Op cos_op;
extern const Op erf_op;
extern const Op erfc_op;
extern const Op tanh_op;
extern const Op sigmoid_op;
extern const Op softplus_op;
extern const Op log_sigmoid_op;
extern const Op relu_op;
extern const Op leaky_relu_op;
extern const Op elu_op;
extern const Op silu_op;
extern const Op gelu_op;
extern const Op gelu_tanh_op;
extern const Op clip_op;

/// y = e^x.
Var exp(Var x, Where where = Where::here());
/// y = e^x - 1, exact also near 0.
Var expm1(Var x, Where where = Where::here());
/// y = ln x; -Inf at 0, NaN for x < 0.
Var log(Var x, Where where = Where::here());
/// y = ln(1 + x), exact also near 0; -Inf at -1, NaN for x < -1.
Var log1p(Var x, Where where = Where::here());

/// y = sin x, x in radians.
Var sin(Var x, Where where = Where::here());
/// y = cos x, x in radians.
Var cos(Var x, Where where = Where::here());

/// y = 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x.
Var erf(Var x, Where where = Where::here());
/// y = 1 - erf(x), exact also where that is tiny.
Var erfc(Var x, Where where = Where::here());

/// y = (e^x - e^-x) / (e^x + e^-x).
Var tanh(Var x, Where where = Where::here());
/// y = 1 / (1 + e^-x).
Var sigmoid(Var x, Where where = Where::here());
/// y = ln(1 + e^x), never computed that way: it neither overflows nor loses small values.
Var softplus(Var x, Where where = Where::here());
/// y = ln sigmoid(x) = -softplus(-x).
Var log_sigmoid(Var x, Where where = Where::here());

/// y = max(x, 0); its derivative at 0 is 0.
Var relu(Var x, Where where = Where::here());
/// y = x for x > 0, slope x otherwise; its derivative at 0 is `slope`.
Var leaky_relu(Var x, double slope = 0.01, Where where = Where::here());
/// y = x for x > 0, alpha (e^x - 1) otherwise; its derivative at 0 is `alpha`. Clevert et al.,
/// arXiv:1511.07289.
Var elu(Var x, double alpha = 1, Where where = Where::here());
/// y = x sigmoid(x), also called swish; NaN at -Inf. Elfwing et al., arXiv:1702.03118.
Var silu(Var x, Where where = Where::here());
/// y = x P(X <= x) for a standard normal X, = x erfc(-x/sqrt(2)) / 2; NaN at -Inf. Hendrycks and Gimpel,
/// arXiv:1606.08415.
Var gelu(Var x, Where where = Where::here());
/// The approximation of gelu y = x/2 (1 + tanh u) = x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3); NaN at
/// -Inf.
Var gelu_tanh(Var x, Where where = Where::here());

/// y = x brought into [low, high]; its derivative is 1 within, the bounds included, and 0 outside. Throws
/// ValueError unless low <= high.
Var clip(Var x, double low, double high, Where where = Where::here());

}  // namespace backdrop
