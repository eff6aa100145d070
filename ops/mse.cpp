#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/loss.hpp>
#include <backdrop/ops/reduce.hpp>

#include "parts/infer.hpp"
#include "parts/operands.hpp"
#include "parts/reduce_losses.hpp"

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

// The mean, which is what it is mostly asked for, has a node of its own.
Var mse(Var a, Var b, Reduction how, Where where) {
  return all_or_nothing(a.tape(), [&] {
    const auto [x, y] = broadcast_together("mse", a, b, where);
    if (how == Reduction::mean) return x.tape().record(mse_op, {x, y}, {}, where);
    return reduce_losses(square(sub(x, y, where), where), how, where);
  });
}

}  // namespace backdrop
