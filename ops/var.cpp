#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <backdrop/ops/reduce.hpp>
#include <limits>
#include <string>

#include "parts/reduced.hpp"

namespace backdrop {

using reduced::axes, reduced::keepdims;

namespace {

constexpr auto correction = attr::integer("correction");

double freedom(const Call& c) { return reduced::terms(c) - static_cast<double>(c[correction]); }

Type infer_var(const Call& c) {
  const Type type = reduced::infer_some(c);
  if (!(freedom(c) > 0)) {
    throw ValueError(std::string(c.name()) + ": correction " + std::to_string(c[correction]) +
                     " leaves nothing of " + std::to_string(static_cast<std::int64_t>(reduced::terms(c))) +
                     " terms to divide by");
  }
  return type;
}

Var centred(const Call& c) { return sub(c[0], mean(c[0], c[axes], true)); }

// Two passes. The mean is rounded, so the deviations add up to a little: what that adds to their squares is
// taken off (Chan, Golub, LeVeque 1983). Where all terms are equal, that may be a rounding more than there
// is.
Var two_pass(const Call& c) {
  const Var d = centred(c);
  const Var squares = sum(square(d), c[axes], c[keepdims]);
  const Var drift = square(sum(d, c[axes], c[keepdims]));
  return scale(sub(squares, scale(drift, 1 / reduced::terms(c))), 1 / freedom(c));
}

// A clip in the variance itself would keep it from being proven equal to other ways to write it.
Var root_of_variance(const Call& c) {
  const Var variance = var(c[0], c[axes], c[correction], c[keepdims]);
  return sqrt(clip(variance, 0, std::numeric_limits<double>::infinity()));
}

// v / ((n - correction) y), and 0 where y = 0. The denominator is mended first, so that no derivative of any
// order divides by 0.
Var over_deviation(const Call& c, Var v) {
  const Var none = equal(c.y, 0.0);
  return masked_fill(div(v, scale(masked_fill(c.y, none, 1), freedom(c))), none, 0);
}

Var record(const Op& op, Var x, std::span<const std::int64_t> over, std::int64_t corrected, bool keep,
           Where where) {
  const auto sorted = normalize_axes(op.name, over, x.shape().rank());
  return x.tape().record(op, {x}, {std::span<const std::int64_t>(sorted), keep, corrected}, where);
}

}  // namespace

// y = sum of (x - mean)^2 / (n - correction)
constinit const Op var_op{
    .name = "var",
    .inputs = {"x"},
    .attrs = {axes, keepdims, correction},
    .formula = "y = sum of (x - mean(x))^2 over axes / (number of terms - correction)",
    .jacobian = "2 (x[j] - mean) / (n - correction) where x[j] is a term of y[i], else 0",
    .infer = infer_var,
    .vjp = {[](const Call& c, Var g) {
      return mul(spread(scale(g, 2 / freedom(c)), c[axes], c.shape(0)), centred(c));
    }},
    .jvp = {[](const Call& c, Var t) {
      return scale(sum(mul(t, centred(c)), c[axes], c[keepdims]), 2 / freedom(c));
    }},
    .body = two_pass,
    .tolerance = 64,
};

// y = sqrt(var)
constinit const Op std_op{
    .name = "std",
    .inputs = {"x"},
    .attrs = {axes, keepdims, correction},
    .formula = "y = sqrt(var(x) over axes, with correction)",
    .jacobian = "(x[j] - mean) / ((n - correction) y[i]) where x[j] is a term of y[i], else 0",
    .singular = "0 where y = 0",
    .infer = infer_var,
    .vjp = {[](const Call& c, Var g) {
      return mul(spread(over_deviation(c, g), c[axes], c.shape(0)), centred(c));
    }},
    .jvp = {[](const Call& c, Var t) {
      return over_deviation(c, sum(mul(t, centred(c)), c[axes], c[keepdims]));
    }},
    .body = root_of_variance,
    .tolerance = 64,
};

Var var(Var x, std::span<const std::int64_t> over, std::int64_t corrected, bool keep, Where where) {
  return record(var_op, x, over, corrected, keep, where);
}

Var stddev(Var x, std::span<const std::int64_t> over, std::int64_t corrected, bool keep, Where where) {
  return record(std_op, x, over, corrected, keep, where);
}

}  // namespace backdrop
