#include <fmt/core.h>

#include <backdrop/backdrop.hpp>

int main() {
  backdrop::Tape tape;
  backdrop::Var x = tape.variable("x", {1.0, -2.0});
  fmt::print("{}\n", backdrop::value(backdrop::square(x)));
}
