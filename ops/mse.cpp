#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/loss.hpp>
#include <backdrop/ops/reduce.hpp>

#include "infer.hpp"

namespace backdrop {

// y = mean of (a - b)^2
constinit const Op mse_op{
    .name = "mse",
    .inputs = {"a", "b"},
    .formula = "y = mean of (a - b)^2",
    .jacobian = "[2 (a - b)' / n, 2 (b - a)' / n]",
    .infer =
        [](const Call& c) {
          return Type{infer::same(c).dtype, c.tape.intern(Shape{})};
        },
    .body = [](const Call& c) { return mean(square(sub(c[0], c[1]))); },
    .exact = true,
};

Var mse(Var a, Var b, Where where) {
  const auto [x, y] = broadcast_together("mse", a, b, where);
  return x.tape().record(mse_op, {x, y}, {}, where);
}

}  // namespace backdrop
