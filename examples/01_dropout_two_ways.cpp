// In back-propagation through inverted dropout, b = a * mask / (1-p), is the mask 0/1 or 0/2 (p = 1/2)?
#include <backdrop/backdrop.hpp>
namespace bd = backdrop;

int main() {
  const double p = 0.5;
  bd::Tape tape;
  bd::Var a = tape.variable("a", {1.0, -2.0, 3.0, 4.0});
  bd::Var mask = tape.constant(bd::Tensor::mask({1, 0, 1, 0}));

  bd::Var fused = bd::dropout(a, p, mask);                      // one node ...
  bd::Var composed = bd::scale(bd::mul(a, mask), 1 / (1 - p));  // ... and what it means

  fmt::print("a               {}\n", bd::value(a));
  fmt::print("mask            {}\n", bd::value(mask));
  fmt::print("b               {}\n", bd::value(fused));
  fmt::print("db/da, fused    {}\n", bd::value(bd::grad(bd::sum(fused), a)));
  fmt::print("db/da, composed {}\n", bd::value(bd::grad(bd::sum(composed), a)));
  fmt::print("the node's Jacobian: {}\n\n", bd::local_jacobian(fused));

  fmt::print("{}\n", bd::prove_equal(bd::grad(bd::sum(fused), a), bd::grad(bd::sum(composed), a)));
  fmt::print("{}\n", bd::fused_vs_composed(fused));
  fmt::print("{}", bd::gradcheck(bd::square(fused), {a}));
  bd::save_json("dropout.json", tape);  // the node, with its Mul and Scale inside
}
