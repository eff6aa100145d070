#include <fmt/core.h>

#include <backdrop/backdrop.hpp>
#include <string>

int main() {
  backdrop::Tape tape;
  backdrop::Var x = tape.variable("x", {1.0, -2.0});
  const std::string squares = fmt::format("{}", backdrop::value(backdrop::square(x)));
  fmt::print("{}\n", squares);
  return squares == "[1, 4]" ? 0 : 1;
}
