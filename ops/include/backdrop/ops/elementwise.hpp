#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/ops/arithmetic.hpp>

/// Functions of one tensor, element by element. All take f32 or f64 (DTypeError otherwise) and pass NaN on;
/// f32 is computed in f32. Accuracy is that of the C library, within a few units in the last place.
namespace backdrop {

extern const Op exp_op;
extern const Op expm1_op;
extern const Op log_op;
extern const Op log2_op;
extern const Op log10_op;
extern const Op log1p_op;
extern const Op logaddexp_op;
extern const Op sin_op;
extern const Op cos_op;
extern const Op tan_op;
extern const Op asin_op;
extern const Op acos_op;
extern const Op atan_op;
extern const Op atan2_op;
extern const Op hypot_op;
extern const Op sinh_op;
extern const Op cosh_op;
extern const Op asinh_op;
extern const Op acosh_op;
extern const Op atanh_op;
extern const Op lgamma_op;
extern const Op digamma_op;
extern const Op polygamma_op;
extern const Op floor_op;
extern const Op ceil_op;
extern const Op round_op;
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
extern const Op celu_op;
extern const Op selu_op;
extern const Op mish_op;
extern const Op softsign_op;
extern const Op tanhshrink_op;
extern const Op hardtanh_op;
extern const Op relu6_op;
extern const Op hardsigmoid_op;
extern const Op hardswish_op;
extern const Op softshrink_op;
extern const Op hardshrink_op;

/// y = e^x.
Var exp(Var x, Where where = Where::here());
/// y = e^x - 1, exact also near 0.
Var expm1(Var x, Where where = Where::here());
/// y = ln x; -Inf at 0, NaN for x < 0.
Var log(Var x, Where where = Where::here());
/// y = the logarithm of x to base 2, and to base 10; -Inf at 0, NaN for x < 0.
Var log2(Var x, Where where = Where::here());
Var log10(Var x, Where where = Where::here());
/// y = ln(1 + x), exact also near 0; -Inf at -1, NaN for x < -1.
Var log1p(Var x, Where where = Where::here());

/// y = ln(e^a + e^b), broadcast, without overflow; -Inf where both are. Its derivative is NaN where both are
/// the same infinity.
Var logaddexp(const Operand& a, const Operand& b, Where where = Where::here());

/// y = sin x, x in radians.
Var sin(Var x, Where where = Where::here());
/// y = cos x, x in radians.
Var cos(Var x, Where where = Where::here());

/// y = tan x, x in radians.
Var tan(Var x, Where where = Where::here());
/// The angles, in radians, with this sine, cosine and tangent: in [-pi/2, pi/2], [0, pi] and [-pi/2, pi/2].
/// asin and acos are NaN for |x| > 1; their derivatives at |x| = 1 are infinite.
Var asin(Var x, Where where = Where::here());
Var acos(Var x, Where where = Where::here());
Var atan(Var x, Where where = Where::here());
/// y = the angle in [-pi, pi] of the point (b, a): atan(a / b) with both signs. Broadcasts. Its derivatives
/// are NaN at a = b = 0.
Var atan2(const Operand& a, const Operand& b, Where where = Where::here());
/// y = sqrt(a^2 + b^2), without overflow. Broadcasts. Its derivatives at a = b = 0 are 0, as norm's.
Var hypot(const Operand& a, const Operand& b, Where where = Where::here());

/// y = (e^x - e^-x) / 2 and (e^x + e^-x) / 2.
Var sinh(Var x, Where where = Where::here());
Var cosh(Var x, Where where = Where::here());
/// Their inverses, and that of tanh. acosh is NaN for x < 1, atanh for |x| > 1.
Var asinh(Var x, Where where = Where::here());
Var acosh(Var x, Where where = Where::here());
Var atanh(Var x, Where where = Where::here());

/// y = ln |gamma(x)|; Inf at 0 and negative integers.
Var lgamma(Var x, Where where = Where::here());
/// y = the derivative of lgamma; -Inf at +0, Inf at -0, NaN at negative integers.
Var digamma(Var x, Where where = Where::here());
/// y = the n-th derivative of digamma, 0 <= n <= 100 (ValueError otherwise); at 0 and negative integers Inf
/// for odd n, -Inf for even n > 0.
Var polygamma(std::int64_t n, Var x, Where where = Where::here());

/// y = the greatest integer <= x, the least >= x, and the nearest to x (halves to the even one). Their
/// derivatives are 0 everywhere.
Var floor(Var x, Where where = Where::here());
Var ceil(Var x, Where where = Where::here());
Var round(Var x, Where where = Where::here());

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
/// y = x for x > 0, alpha (e^(x/alpha) - 1) otherwise, alpha > 0; its derivative at 0 is 1. Barron,
/// arXiv:1704.07483.
Var celu(Var x, double alpha = 1, Where where = Where::here());
/// y = 1.0507 elu(x, 1.6733), with the constants that keep a mean of 0 and a variance of 1; its derivative at
/// 0 is the product of both. Klambauer et al., arXiv:1706.02515.
Var selu(Var x, Where where = Where::here());
/// y = x sigmoid(x), also called swish; 0 at -Inf. Elfwing et al., arXiv:1702.03118.
Var silu(Var x, Where where = Where::here());
/// y = x P(X <= x) for a standard normal X, = x erfc(-x/sqrt(2)) / 2; 0 at -Inf. Hendrycks and Gimpel,
/// arXiv:1606.08415.
Var gelu(Var x, Where where = Where::here());
/// The approximation of gelu y = x/2 (1 + tanh u) = x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3); 0 at
/// -Inf.
Var gelu_tanh(Var x, Where where = Where::here());

/// y = x tanh(softplus(x)); 0 at -Inf. Misra, arXiv:1908.08681.
Var mish(Var x, Where where = Where::here());
/// y = x / (1 + |x|); -1 and 1 at -Inf and Inf.
Var softsign(Var x, Where where = Where::here());
/// y = x - tanh x.
Var tanhshrink(Var x, Where where = Where::here());

/// y = x brought into [low, high] as by clip, but with derivative 0 at the bounds.
Var hardtanh(Var x, double low = -1, double high = 1, Where where = Where::here());
/// y = hardtanh(x, 0, 6).
Var relu6(Var x, Where where = Where::here());
/// y = relu6(x + 3) / 6.
Var hardsigmoid(Var x, Where where = Where::here());
/// y = x relu6(x + 3) / 6; 0 at -Inf. Its derivatives are 0 at -3 and 1 at 3. Howard et al.,
/// arXiv:1905.02244.
Var hardswish(Var x, Where where = Where::here());
/// y = x brought nearer to 0 by `lambda` >= 0, and 0 for |x| <= lambda; its derivative at the bounds is 0.
Var softshrink(Var x, double lambda = 0.5, Where where = Where::here());
/// y = x for |x| > lambda, 0 otherwise; its derivative at the bounds is 0.
Var hardshrink(Var x, double lambda = 0.5, Where where = Where::here());

/// y = x brought into [low, high]; its derivative is 1 within, the bounds included, 0 outside and where they
/// are one number. i64 too, between whole bounds (DTypeError). Throws ValueError unless low <= high.
Var clip(Var x, double low, double high, Where where = Where::here());

}  // namespace backdrop
