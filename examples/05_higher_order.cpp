// Derivatives are recordings like any other, so they have derivatives: of a gradient, along a direction, and
// through dropout, where 1/(1-p) comes in once more with each order.

#include <backdrop/backdrop.hpp>

namespace bd = backdrop;

// x^3, three times differentiated.
void gradients_of_gradients() {
  bd::Tape tape;
  const bd::Var x = tape.variable("x", bd::Tensor({1, 2, -3}, bd::DType::f64));
  const bd::Var y = x * x * x;
  const bd::Var first = bd::grad(bd::sum(y), x);
  const bd::Var second = bd::grad(bd::sum(first), x);
  const bd::Var third = bd::grad(bd::sum(second), x);
  fmt::print("y = x^3         {}\n", bd::value(y));
  fmt::print("y' = 3 x^2      {}\n", bd::value(first));
  fmt::print("y'' = 6 x       {}\n", bd::value(second));
  fmt::print("y''' = 6        {}\n\n", bd::value(third));
}

// The Hessian of s^4 / 4 + sum(x^2), s = sum(x), and its product with v, for which it is never built.
void hessian_times_vector() {
  bd::Tape tape;
  const bd::Var x = tape.variable("x", bd::Tensor({1, 2, -2}, bd::DType::f64));
  const bd::Var v = tape.constant(bd::Tensor({1, 0, 2}, bd::DType::f64));
  const bd::Var y = 0.25 * bd::square(bd::square(bd::sum(x))) + bd::sum(bd::square(x));
  fmt::print("H v             {}\n", bd::value(bd::hvp(y, x, v)));
  fmt::print("H = 3 s^2 + 2 I {}\n\n", bd::hessian(y, x));
}

// With d = mask/(1-p): (d x)^2 has the Hessian 2 d^2 on its diagonal, and a dropped unit stays 0 in every
// order.
void second_order_of_dropout() {
  const double p = 0.5;
  bd::Tape tape;
  const bd::Var a = tape.variable("a", bd::Tensor({1, -2, 3, 4}, bd::DType::f64));
  const bd::Var mask = tape.constant(bd::Tensor::mask({1, 0, 1, 0}));
  const bd::Var ones = tape.constant(bd::Tensor::ones({4}, bd::DType::f64));

  const bd::Var fused = bd::sum(bd::square(bd::dropout(a, p, mask)));
  const bd::Var composed = bd::sum(bd::square(bd::scale(bd::mul(a, mask), 1 / (1 - p))));
  const bd::Tensor by_fused = bd::value(bd::hvp(fused, a, ones));
  const bd::Tensor by_composed = bd::value(bd::hvp(composed, a, ones));
  fmt::print("gradient        {}\n", bd::value(bd::grad(fused, a)));
  fmt::print("2 (mask/(1-p))^2, fused    {}\n", by_fused);
  fmt::print("2 (mask/(1-p))^2, composed {}\n", by_composed);
  fmt::print("the same bits:  {}\n", by_fused.same_bits(by_composed) ? "yes" : "no");
  fmt::print("{}\n", bd::gradcheck(fused, {a}, {.mode = bd::CheckMode::second_order}));
}

// A function of a gradient, as in a gradient penalty: |dy/dx|^2 for y = sum(w x^2), differentiated by w.
void penalty_on_a_gradient() {
  bd::Tape tape;
  const bd::Var x = tape.variable("x", bd::Tensor({1, 2}, bd::DType::f64));
  const bd::Var w = tape.variable("w", bd::Tensor({3, 0.5}, bd::DType::f64));
  const bd::Var slope = bd::grad(bd::sum(w * bd::square(x)), x);  // 2 w x
  const bd::Var penalty = bd::sum(bd::square(slope));
  fmt::print("penalty         {}\n", bd::value(penalty));
  fmt::print("by w, 8 w x^2   {}\n", bd::value(bd::grad(penalty, w)));
}

int main() {
  gradients_of_gradients();
  hessian_times_vector();
  second_order_of_dropout();
  penalty_on_a_gradient();
}
