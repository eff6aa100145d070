#pragma once

#include <backdrop/core/op.hpp>
#include <initializer_list>
#include <span>

namespace backdrop {

extern const Op sum_op;
extern const Op mean_op;
extern const Op max_op;
extern const Op min_op;
extern const Op argmax_op;
extern const Op argmin_op;
extern const Op var_op;
extern const Op std_op;
extern const Op prod_op;
extern const Op any_op;
extern const Op all_op;
extern const Op norm_op;
extern const Op logsumexp_op;

// Reductions take f32 or f64 and go over `axes`: negative ones count from the last, none = all. Reduced axes
// are dropped, or kept with extent 1. They throw ShapeError for an axis out of range or named twice. Sums are
// accumulated in f64, of f64 terms with compensation, in an order that depends on the shape alone.

/// The sum over `axes`; over nothing it is 0.
Var sum(Var x, std::span<const std::int64_t> axes, bool keepdims = false, Where where = Where::here());
inline Var sum(Var x, std::initializer_list<std::int64_t> axes, bool keepdims = false,
               Where where = Where::here()) {
  return sum(x, std::span<const std::int64_t>(axes.begin(), axes.size()), keepdims, where);
}
inline Var sum(Var x, Where where = Where::here()) {
  return sum(x, std::span<const std::int64_t>{}, false, where);
}

/// The sum over `axes` divided by the number of terms; over nothing it is NaN.
Var mean(Var x, std::span<const std::int64_t> axes, bool keepdims = false, Where where = Where::here());
inline Var mean(Var x, std::initializer_list<std::int64_t> axes, bool keepdims = false,
                Where where = Where::here()) {
  return mean(x, std::span<const std::int64_t>(axes.begin(), axes.size()), keepdims, where);
}
inline Var mean(Var x, Where where = Where::here()) {
  return mean(x, std::span<const std::int64_t>{}, false, where);
}

/// The product over `axes`, accumulated in f64; over nothing it is 1. Its derivatives of every order are
/// right where elements are 0, too: nothing is divided.
Var prod(Var x, std::span<const std::int64_t> axes, bool keepdims = false, Where where = Where::here());
inline Var prod(Var x, std::initializer_list<std::int64_t> axes, bool keepdims = false,
                Where where = Where::here()) {
  return prod(x, std::span<const std::int64_t>(axes.begin(), axes.size()), keepdims, where);
}
inline Var prod(Var x, Where where = Where::here()) {
  return prod(x, std::span<const std::int64_t>{}, false, where);
}

/// The greatest element over `axes`, NaN if any is NaN. Ties share the derivative equally (as PyTorch's
/// amax). Throws ShapeError when a reduced axis is empty.
Var max(Var x, std::span<const std::int64_t> axes, bool keepdims = false, Where where = Where::here());
inline Var max(Var x, std::initializer_list<std::int64_t> axes, bool keepdims = false,
               Where where = Where::here()) {
  return max(x, std::span<const std::int64_t>(axes.begin(), axes.size()), keepdims, where);
}
inline Var max(Var x, Where where = Where::here()) {
  return max(x, std::span<const std::int64_t>{}, false, where);
}

/// The least element over `axes`; otherwise as max.
Var min(Var x, std::span<const std::int64_t> axes, bool keepdims = false, Where where = Where::here());
inline Var min(Var x, std::initializer_list<std::int64_t> axes, bool keepdims = false,
               Where where = Where::here()) {
  return min(x, std::span<const std::int64_t>(axes.begin(), axes.size()), keepdims, where);
}
inline Var min(Var x, Where where = Where::here()) {
  return min(x, std::span<const std::int64_t>{}, false, where);
}

/// Of a mask (DTypeError otherwise): 1 where some element over `axes` is 1; over nothing it is 0.
Var any(Var x, std::span<const std::int64_t> axes, bool keepdims = false, Where where = Where::here());
inline Var any(Var x, std::initializer_list<std::int64_t> axes, bool keepdims = false,
               Where where = Where::here()) {
  return any(x, std::span<const std::int64_t>(axes.begin(), axes.size()), keepdims, where);
}
inline Var any(Var x, Where where = Where::here()) {
  return any(x, std::span<const std::int64_t>{}, false, where);
}

/// Of a mask (DTypeError otherwise): 1 where every element over `axes` is 1; over nothing it is 1.
Var all(Var x, std::span<const std::int64_t> axes, bool keepdims = false, Where where = Where::here());
inline Var all(Var x, std::initializer_list<std::int64_t> axes, bool keepdims = false,
               Where where = Where::here()) {
  return all(x, std::span<const std::int64_t>(axes.begin(), axes.size()), keepdims, where);
}
inline Var all(Var x, Where where = Where::here()) {
  return all(x, std::span<const std::int64_t>{}, false, where);
}

/// The position along `axis` (i64) of the first greatest element, or of the first NaN. Not differentiable.
/// Throws ShapeError when the axis is empty.
Var argmax(Var x, std::int64_t axis = -1, bool keepdims = false, Where where = Where::here());
/// The position of the first least element; otherwise as argmax.
Var argmin(Var x, std::int64_t axis = -1, bool keepdims = false, Where where = Where::here());

/// The sum of (x - mean)^2 over `axes` divided by n - correction: 0 = of a population, 1 = estimated from a
/// sample. In two passes, which may leave it a rounding below 0 where all terms are equal. Throws ShapeError
/// when a reduced axis is empty, ValueError unless n > correction.
Var var(Var x, std::span<const std::int64_t> axes, std::int64_t correction = 0, bool keepdims = false,
        Where where = Where::here());
inline Var var(Var x, std::initializer_list<std::int64_t> axes, std::int64_t correction = 0,
               bool keepdims = false, Where where = Where::here()) {
  return var(x, std::span<const std::int64_t>(axes.begin(), axes.size()), correction, keepdims, where);
}
inline Var var(Var x, Where where = Where::here()) {
  return var(x, std::span<const std::int64_t>{}, 0, false, where);
}

/// The standard deviation sqrt(var(x)), with var's correction: PyTorch's and NumPy's std, whose name C++ has
/// taken. Its derivative where it is 0 is taken as 0. Throws as var does.
Var stddev(Var x, std::span<const std::int64_t> axes, std::int64_t correction = 0, bool keepdims = false,
           Where where = Where::here());
inline Var stddev(Var x, std::initializer_list<std::int64_t> axes, std::int64_t correction = 0,
                  bool keepdims = false, Where where = Where::here()) {
  return stddev(x, std::span<const std::int64_t>(axes.begin(), axes.size()), correction, keepdims, where);
}
inline Var stddev(Var x, Where where = Where::here()) {
  return stddev(x, std::span<const std::int64_t>{}, 0, false, where);
}

/// The Euclidean length sqrt(sum of x^2) over `axes`. Its derivative where it is 0 is taken as 0.
Var norm(Var x, std::span<const std::int64_t> axes, bool keepdims = false, Where where = Where::here());
inline Var norm(Var x, std::initializer_list<std::int64_t> axes, bool keepdims = false,
                Where where = Where::here()) {
  return norm(x, std::span<const std::int64_t>(axes.begin(), axes.size()), keepdims, where);
}
inline Var norm(Var x, Where where = Where::here()) {
  return norm(x, std::span<const std::int64_t>{}, false, where);
}

/// (sum of |x|^order over `axes`)^(1/order), PyTorch's norm with any p: 1 = the sum of |x|, Inf = the
/// greatest |x|, -Inf = the least, 0 = how many are not 0, 2 = norm. Where it or an element is 0, a
/// derivative of any order is taken as 0. Throws ValueError for NaN, and ShapeError as max does for infinite
/// orders.
Var norm_of_order(Var x, double order, std::span<const std::int64_t> axes, bool keepdims = false,
                  Where where = Where::here());
inline Var norm_of_order(Var x, double order, std::initializer_list<std::int64_t> axes, bool keepdims = false,
                         Where where = Where::here()) {
  return norm_of_order(x, order, std::span<const std::int64_t>(axes.begin(), axes.size()), keepdims, where);
}
inline Var norm_of_order(Var x, double order, Where where = Where::here()) {
  return norm_of_order(x, order, std::span<const std::int64_t>{}, false, where);
}

/// log(sum of e^x over `axes`), shifted by the greatest element so that nothing overflows; -inf where all are
/// -inf, +inf where any is +inf. Its gradient is softmax, and 0
/// where all are -inf. Throws ShapeError when a reduced axis is empty.
Var logsumexp(Var x, std::span<const std::int64_t> axes, bool keepdims = false, Where where = Where::here());
inline Var logsumexp(Var x, std::initializer_list<std::int64_t> axes, bool keepdims = false,
                     Where where = Where::here()) {
  return logsumexp(x, std::span<const std::int64_t>(axes.begin(), axes.size()), keepdims, where);
}
inline Var logsumexp(Var x, Where where = Where::here()) {
  return logsumexp(x, std::span<const std::int64_t>{}, false, where);
}

}  // namespace backdrop
