#pragma once

#include <backdrop/core/op.hpp>

/// What runs along one axis and depends on all that came before. f32 or f64 (DTypeError otherwise), of any
/// extent, 0 too; a negative axis counts from the last, one out of range throws ShapeError. The state is kept
/// in f64, in sums of f64 with compensation.
namespace backdrop {

extern const Op cumsum_op;
extern const Op recurrence_op;
extern const Op cumprod_op;
extern const Op logcumsumexp_op;

/// y[i] = x[0] + ... + x[i] along `axis`; in reverse x[i] + ... + x[n-1], which is the transpose.
Var cumsum(Var x, std::int64_t axis, bool reverse = false, Where where = Where::here());

/// y[i] = a[i] y[i-1] + b[i] along `axis` with y[0] = b[0], so that a[0] does not matter; in reverse
/// y[i] = a[i] y[i+1] + b[i]. a and b have one shape. Throws ShapeError.
Var recurrence(Var a, Var b, std::int64_t axis, bool reverse = false, Where where = Where::here());

/// y[i] = x[0] ... x[i] along `axis`. Its derivatives of every order are right where elements are 0, too:
/// nothing is divided.
Var cumprod(Var x, std::int64_t axis, Where where = Where::here());

/// y[i] = log(e^x[0] + ... + e^x[i]) along `axis`, without overflow; -Inf as long as all are -Inf.
Var logcumsumexp(Var x, std::int64_t axis, Where where = Where::here());

}  // namespace backdrop
