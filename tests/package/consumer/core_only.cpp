#include <backdrop/core/tape.hpp>

int main() {
  backdrop::Tape tape;
  const backdrop::Var x = tape.variable("x", {1.0, -2.0});
  return x.name() == "x" && x.shape() == backdrop::Shape{2} ? 0 : 1;
}
