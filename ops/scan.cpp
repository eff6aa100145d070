#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/create.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/scan.hpp>
#include <limits>
#include <string>
#include <vector>

#include "kernels/scan.hpp"
#include "parts/batched.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr auto axis = attr::integer("axis");
constexpr auto reverse = attr::boolean("reverse");

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::size_t before_axis(const Call& c, std::size_t) { return static_cast<std::size_t>(c[axis]); }

Type infer_scan(const Call& c) {
  const Type type = infer::same(c);
  if (c[axis] < 0 || c[axis] >= static_cast<std::int64_t>(c.shape(0).rank())) {
    throw ShapeError(std::string(c.name()) + ": axis " + std::to_string(c[axis]) + " lies outside " +
                     to_string(c.shape(0)));
  }
  return type;
}

std::int64_t normal(const Op& op, Var x, std::int64_t at) {
  return static_cast<std::int64_t>(normalize_axis(op.name, at, x.shape().rank()));
}

// Elements first ... first + count - 1 along `at`.
Var cut(Var x, std::int64_t at, std::int64_t first, std::int64_t count) {
  const auto k = static_cast<std::size_t>(at);
  std::vector<std::int64_t> starts(k + 1, 0), stops(k + 1, kEnd);
  starts[k] = first;
  stops[k] = first + count;
  return slice(x, starts, stops);
}

// One place along `at` of what is like x, with `number` in it.
Var row_of(Var x, std::int64_t at, double number) {
  std::vector<std::int64_t> extents(x.shape().begin(), x.shape().end());
  extents[static_cast<std::size_t>(at)] = 1;
  return full(x.tape(), Shape(std::move(extents)), number, x.dtype());
}

// x moved by one place along `at`, with `number` where nothing comes: z[i] = x[i-1], in reverse x[i+1].
Var moved(Var x, std::int64_t at, bool back, double number) {
  const std::int64_t n = x.shape()[static_cast<std::size_t>(at)];
  if (n == 0) return x;
  const Var row = row_of(x, at, number);
  return back ? concat({cut(x, at, 1, n - 1), row}, at) : concat({row, cut(x, at, 0, n - 1)}, at);
}

// What y came from, and the cotangents carried back along the axis.
Var previous(const Call& c) { return moved(c.y, c[axis], c[reverse], 0); }
Var carried_back(const Call& c, Var g) {
  return recurrence(moved(c[0], c[axis], !c[reverse], 0), g, c[axis], !c[reverse]);
}

// y is finite, or +Inf: with 0 in place of -Inf no difference to it is -Inf + Inf.
Var grounded(const Call& c) { return masked_fill(c.y, equal(c.y, -kInfinity), 0); }
// dy[i] = keep[i] dy[i-1] + weight[i] dx[i], both of which lie in [0, 1].
Var keep(const Call& c) { return exp(sub(moved(c.y, c[axis], false, -kInfinity), grounded(c))); }
Var weight(const Call& c) { return exp(sub(c[0], grounded(c))); }

}  // namespace

// y[i] = y[i-1] + x[i]
constinit const Op cumsum_op{
    .name = "cumsum",
    .inputs = {"x"},
    .attrs = {axis, reverse},
    .formula = "y[i] = x[0] + ... + x[i] along axis; in reverse x[i] + ... + x[n-1]",
    .jacobian = "a triangle of 1s along axis: lower, in reverse upper",
    .leading = before_axis,
    .infer = infer_scan,
    .eval = [](const Eval& e) { kernels::cumsum(e, static_cast<std::size_t>(e[axis]), e[reverse]); },
    .vjp = {[](const Call& c, Var g) { return cumsum(g, c[axis], !c[reverse]); }},
    .jvp = rule::linear,
    .batch = [](const Call& c, std::span<const Var> x) { return cumsum(x[0], c[axis] + 1, c[reverse]); },
};

// y[i] = a[i] y[i-1] + b[i]
// Closed under differentiation: products of all elements but some come out without a division.
constinit const Op recurrence_op{
    .name = "recurrence",
    .inputs = {"a", "b"},
    .attrs = {axis, reverse},
    .formula = "y[i] = a[i] y[i-1] + b[i] along axis, y[0] = b[0]; in reverse y[i] = a[i] y[i+1] + b[i]",
    .jacobian = "[dy[i]/da[j] = a[i] ... a[j+1] y[j-1], dy[i]/db[j] = a[i] ... a[j+1]] for j <= i, else 0",
    .leading = before_axis,
    .infer = infer_scan,
    .eval = [](const Eval& e) { kernels::recurrence(e, static_cast<std::size_t>(e[axis]), e[reverse]); },
    .vjp = {[](const Call& c, Var g) { return mul(carried_back(c, g), previous(c)); }, carried_back},
    .jvp = {[](const Call& c, Var t) { return recurrence(c[0], mul(t, previous(c)), c[axis], c[reverse]); },
            [](const Call& c, Var t) { return recurrence(c[0], t, c[axis], c[reverse]); }},
    .batch =
        [](const Call& c, std::span<const Var> x) {
          const std::vector<Var> all = batched::all(c, x);
          return recurrence(all[0], all[1], c[axis] + 1, c[reverse]);
        },
};

// y[i] = y[i-1] x[i]
constinit const Op cumprod_op{
    .name = "cumprod",
    .inputs = {"x"},
    .attrs = {axis},
    .formula = "y[i] = x[0] x[1] ... x[i] along axis",
    .jacobian = "dy[i]/dx[j] = the product of the others of x[0] ... x[i], for j <= i, else 0",
    .infer = infer_scan,
    .body =
        [](const Call& c) {
          const std::int64_t at = c[axis], n = c.shape(0)[static_cast<std::size_t>(at)];
          if (n <= 1) return recurrence(c[0], c[0], at);
          std::vector<std::int64_t> before(c.shape(0).rank(), 0), after = before;
          after[static_cast<std::size_t>(at)] = n - 1;
          return recurrence(c[0], pad(cut(c[0], at, 0, 1), before, after), at);
        },
};

// y[i] = log(e^y[i-1] + e^x[i])
constinit const Op logcumsumexp_op{
    .name = "logcumsumexp",
    .inputs = {"x"},
    .attrs = {axis},
    .formula = "y[i] = log(e^x[0] + ... + e^x[i]) along axis",
    .jacobian = "dy[i]/dx[j] = e^(x[j] - y[i]) for j <= i, else 0",
    .singular = "0 where y = -Inf; NaN where y = +Inf",
    .leading = before_axis,
    .infer = infer_scan,
    .eval = [](const Eval& e) { kernels::logcumsumexp(e, static_cast<std::size_t>(e[axis])); },
    .vjp = {[](const Call& c, Var g) {
      return mul(weight(c), recurrence(moved(keep(c), c[axis], true, 0), g, c[axis], true));
    }},
    .jvp = {[](const Call& c, Var t) { return recurrence(keep(c), mul(weight(c), t), c[axis]); }},
    .batch = [](const Call& c, std::span<const Var> x) { return logcumsumexp(x[0], c[axis] + 1); },
};

Var cumsum(Var x, std::int64_t at, bool backwards, Where where) {
  return x.tape().record(cumsum_op, {x}, {normal(cumsum_op, x, at), backwards}, where);
}

Var recurrence(Var a, Var b, std::int64_t at, bool backwards, Where where) {
  return a.tape().record(recurrence_op, {a, b}, {normal(recurrence_op, a, at), backwards}, where);
}

Var cumprod(Var x, std::int64_t at, Where where) {
  return x.tape().record(cumprod_op, {x}, {normal(cumprod_op, x, at)}, where);
}

Var logcumsumexp(Var x, std::int64_t at, Where where) {
  return x.tape().record(logcumsumexp_op, {x}, {normal(logcumsumexp_op, x, at)}, where);
}

}  // namespace backdrop
