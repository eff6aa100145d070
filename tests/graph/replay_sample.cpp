#include <fmt/core.h>

#include <backdrop/backdrop.hpp>
#include <vector>

// Prints a recording with drawn masks of every kind, then the value of each of its nodes as constants of a
// second one: replay.py has to find the same values.
int main() {
  using namespace backdrop;
  constexpr std::uint32_t kStep = 3;
  Tape tape;
  Keys keys(0xC0FFEE0000000042);
  const Var w = tape.variable("w", Tensor::arange(37, DType::f64));
  const Var x = tape.constant(Tensor::full({11, 37}, 0.7, DType::f64));
  Var loss = full(tape, {}, 0, DType::f64);
  for (const double p : {0.0, 0.1, 0.25, 0.3, 0.5, 1.0}) {
    loss = loss + sum(square(dropout(x * scale(w, 0.1), p, keys.next())));
  }
  // One bit in 65,536 ties and is refined: many elements for a few of them.
  dropout_mask(tape, {300000}, 1 - 1.0 / 7, keys.next());
  grad(loss, w);

  std::vector<Var> all;
  for (std::size_t i = 0; i < tape.size(); ++i) all.push_back(tape.var(i));
  Tape values;
  for (const Tensor& t : value(all, {.feeds = {}, .step = kStep})) values.constant(t);
  fmt::print("{}{}", dump_json(tape, {.bodies = true, .values = true}), dump_json(values));
}
