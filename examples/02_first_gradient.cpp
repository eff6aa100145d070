// Record once, differentiate, run: the slope of a squared error and one step of gradient descent.
#include <backdrop/backdrop.hpp>
namespace bd = backdrop;

int main() {
  bd::Tape tape;
  bd::Var x = tape.input("x", {4});  // fed at each run
  bd::Var y = tape.input("y", {4});
  bd::Var w = tape.variable("w", bd::Tensor::scalar(0.0));  // a parameter; it lives outside the tape
  bd::Var b = tape.variable("b", bd::Tensor::scalar(0.0));

  // Recording computes nothing yet. error = |w x + b - y|^2
  bd::Var error = bd::sum(bd::square(w * x + b + bd::scale(y, -1)));
  auto [dw, db] = bd::grad(error, w, b);  // the derivatives are nodes like any other

  const bd::ValueOptions at{.feeds = {{x, {0, 1, 2, 3}}, {y, {1, 3, 5, 7}}}, .step = {}};
  fmt::print("error    {}\n", bd::value(error, at));
  fmt::print("d error/dw  {}\n", bd::value(dw, at));
  fmt::print("d error/db  {}\n", bd::value(db, at));
  fmt::print("d2 error/dw2 {}\n", bd::value(bd::grad(dw, w), at));  // differentiated again

  // One Program does forward, backward and the update of both parameters.
  const double rate = 1. / 32;
  const bd::Variable weight = tape.variable_of(tape.node(w)), bias = tape.variable_of(tape.node(b));
  const bd::Program step =
      bd::compile(tape, {.outputs = {error},
                         .updates = {{weight, w + bd::scale(dw, -rate)}, {bias, b + bd::scale(db, -rate)}}});
  for (int k = 1; k <= 256; ++k) {
    const bd::Outputs run = step.run(at.feeds);
    if ((k & (k - 1)) == 0) fmt::print("step {:>3}: error {:.6f}\n", k, run[0].item());
  }
  fmt::print("w = {:.3f}, b = {:.3f}; the data are y = 2 x + 1\n", weight.value().item(),
             bias.value().item());
}
