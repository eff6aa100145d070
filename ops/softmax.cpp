#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <backdrop/ops/loss.hpp>
#include <backdrop/ops/reduce.hpp>

#include "kernels/softmax.hpp"
#include "parts/along.hpp"
#include "parts/batched.hpp"

namespace backdrop {

using along::axis;

namespace {

Var total(const Call& c, Var x) { return sum(x, {c[axis]}, true); }

// Adding a number to all of x changes neither op, so the shift is a constant to derivatives.
Var shifted(const Call& c) { return sub(c[0], stop_gradient(max(c[0], {c[axis]}, true))); }

// diag(y) - y y', which is symmetric
Var softmax_product(const Call& c, Var v) { return mul(c.y, sub(v, total(c, mul(v, c.y)))); }

Var record(const Op& op, Var x, std::int64_t at, Where where) {
  const auto along = static_cast<std::int64_t>(normalize_axis(op.name, at, x.shape().rank()));
  return x.tape().record(op, {x}, {along}, where);
}

}  // namespace

// y = e^x / sum of e^x
constinit const Op softmax_op{
    .name = "softmax",
    .inputs = {"x"},
    .attrs = {axis},
    .formula = "y = e^x / sum of e^x along axis",
    .jacobian = "diag(y) - y y' along axis",
    .leading = along::leading,
    .by_panels = true,
    .infer = along::infer,
    .eval = [](const Eval& e) { kernels::softmax(e, static_cast<std::size_t>(e[axis])); },
    .vjp = {softmax_product},
    .jvp = {softmax_product},
    .body =
        [](const Call& c) {
          const Var terms = exp(shifted(c));
          return div(terms, total(c, terms));
        },
    .batch = [](const Call& c, std::span<const Var> x) { return softmax(x[0], c[axis] + 1); },
    .tolerance = 16,
};

// y = x - log(sum of e^x)
constinit const Op log_softmax_op{
    .name = "log_softmax",
    .inputs = {"x"},
    .attrs = {axis},
    .formula = "y = x - log(sum of e^x along axis)",
    .jacobian = "I - 1 softmax(x)' along axis",
    .leading = along::leading,
    .by_panels = true,
    .infer = along::infer,
    .eval = [](const Eval& e) { kernels::log_softmax(e, static_cast<std::size_t>(e[axis])); },
    .vjp = {[](const Call& c, Var g) { return sub(g, mul(exp(c.y), total(c, g))); }},
    .jvp = {[](const Call& c, Var t) { return sub(t, total(c, mul(t, exp(c.y)))); }},
    .body =
        [](const Call& c) {
          const Var x = shifted(c);
          return sub(x, log(total(c, exp(x))));
        },
    .batch = [](const Call& c, std::span<const Var> x) { return log_softmax(x[0], c[axis] + 1); },
    .tolerance = 16,
};

Var softmax(Var x, std::int64_t at, Where where) { return record(softmax_op, x, at, where); }

Var log_softmax(Var x, std::int64_t at, Where where) { return record(log_softmax_op, x, at, where); }

}  // namespace backdrop
