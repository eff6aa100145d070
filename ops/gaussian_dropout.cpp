#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/dropout_variants.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/random.hpp>
#include <cmath>
#include <string>

#include "parts/infer.hpp"

namespace backdrop {

// y = x * noise
constinit const Op gaussian_dropout_op{
    .name = "gaussian_dropout",
    .inputs = {"x", "noise"},
    .formula = "y = x * noise, noise of mean 1",
    .jacobian = "[diag(noise), diag(x)]",
    .structure = Structure::diagonal,
    .infer = infer::same,
    .vjp = {[](const Call& c, Var g) { return c.with_input(0, g); },
            [](const Call& c, Var g) { return mul(g, c[0]); }},
    .jvp = rule::multilinear,
    .body = [](const Call& c) { return mul(c[0], c[1]); },
    .inference = [](const Call& c) { return c[0]; },
    .exact = true,
};

Var gaussian_dropout(Var x, Var noise, Where where) {
  return all_or_nothing(x.tape(), [&] {
    const Var whole = noise.shape() == x.shape() ? noise : broadcast_to(noise, x.shape(), where);
    return x.tape().record(gaussian_dropout_op, {x, whole}, {}, where);
  });
}

Var gaussian_dropout(Var x, double p, Key key, Where where) {
  if (!(p >= 0 && p < 1)) {
    throw ValueError("gaussian_dropout: p = " + std::to_string(p) +
                     " has no noise of variance p/(1-p); give 0 <= p < 1");
  }
  return all_or_nothing(x.tape(), [&] {
    const double deviation = std::sqrt(p / (1 - p));
    return gaussian_dropout(x, normal(x.tape(), x.shape(), 1, deviation, key, x.dtype(), where), where);
  });
}

}  // namespace backdrop
