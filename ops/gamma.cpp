#include "kernels/gamma.hpp"

#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/elementwise.hpp>

#include "kernels/elementwise.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr auto n = attr::integer("n").between(0, kernels::kMostPolygamma);

}  // namespace

// y = ln |gamma(x)|
constinit const Op lgamma_op{
    .name = "lgamma",
    .inputs = {"x"},
    .formula = "y = ln |gamma(x)|",
    .jacobian = "diag(digamma(x))",
    .singular = "0 and negative integers: y = Inf, the derivative is digamma's value",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::map(b, [](auto x) { return kernels::log_gamma(x); }); },
    .derivative = {[](const Call& c) { return digamma(c[0]); }},
};

// y = d/dx ln gamma(x)
constinit const Op digamma_op{
    .name = "digamma",
    .inputs = {"x"},
    .formula = "y = gamma'(x) / gamma(x)",
    .jacobian = "diag(polygamma(1, x))",
    .singular = "y = -Inf at +0, Inf at -0, NaN at negative integers; the derivative is Inf there",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block =
        [](const Block& b) {
          kernels::map(
              b, [](auto x) { return static_cast<decltype(x)>(kernels::digamma(static_cast<double>(x))); });
        },
    .derivative = {[](const Call& c) { return polygamma(1, c[0]); }},
};

// y = d^n/dx^n digamma(x)
constinit const Op polygamma_op{
    .name = "polygamma",
    .inputs = {"x"},
    .attrs = {n},
    .formula = "y = the n-th derivative of digamma at x",
    .jacobian = "diag(polygamma(n + 1, x))",
    .singular = "0 and negative integers: as digamma if n = 0, Inf for odd n, -Inf for even n",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block =
        [](const Block& b) {
          const auto order = static_cast<int>(b[n]);
          kernels::map(b, [order](auto x) {
            return static_cast<decltype(x)>(kernels::polygamma(order, static_cast<double>(x)));
          });
        },
    .derivative = {[](const Call& c) { return polygamma(c[n] + 1, c[0]); }},
};

Var lgamma(Var x, Where where) { return x.tape().record(lgamma_op, {x}, {}, where); }
Var digamma(Var x, Where where) { return x.tape().record(digamma_op, {x}, {}, where); }
Var polygamma(std::int64_t order, Var x, Where where) {
  return x.tape().record(polygamma_op, {x}, {order}, where);
}

}  // namespace backdrop
