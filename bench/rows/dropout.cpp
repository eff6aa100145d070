#include <fmt/core.h>

#include <backdrop/backdrop.hpp>
#include <cstddef>
#include <cstdint>

#include "row.hpp"
#include "rows/contenders.hpp"

namespace backdrop::bench {

namespace {

constexpr Key kKey{42, 0};

Program forward(double p, std::int64_t n) {
  Tape tape;
  const Var x = tape.variable("x", Tensor::ones({n}));
  return compile(tape, {.outputs = {dropout(x, p, kKey)}, .updates = {}});
}

// From a mask that was drawn before.
Program backward(double p, std::int64_t n) {
  Tape tape;
  const Var x = tape.variable("x", Tensor::ones({n})), g = tape.variable("g", Tensor::ones({n}));
  const Var mask = tape.constant(value(dropout_mask(tape, {n}, p, kKey)));
  return compile(tape, {.outputs = {vjp(dropout(x, p, mask), x, g)}, .updates = {}});
}

Program both(double p, std::int64_t n) {
  Tape tape;
  const Var x = tape.variable("x", Tensor::ones({n})), g = tape.variable("g", Tensor::ones({n}));
  return forward_backward(dropout(x, p, kKey), {x}, g);
}

Row row(const char* what, double p, std::int64_t n, Program (*make)(double, std::int64_t)) {
  return {.name = fmt::format("{}/p={}/n={}", what, p, n),
          .unit = "ns/element",
          .things = static_cast<double>(n),
          .backdrop = [=] { return run_sampler(make(p, n)); },
          .memcpy = [=] { return memcpy_sampler(static_cast<std::size_t>(n)); }};
}

}  // namespace

void add_dropout(std::vector<Row>& rows) {
  constexpr std::int64_t kMillion = 1'000'000;
  for (const double p : {0.5, 0.25, 0.1}) rows.push_back(row("dropout_forward", p, kMillion, forward));
  rows.push_back(row("dropout_forward", 0.1, 10 * kMillion, forward));
  rows.push_back(row("dropout_backward", 0.1, kMillion, backward));
  rows.push_back(row("dropout_forward_backward", 0.1, kMillion, both));
  rows.back().bytes_saved_per_element = [] {  // y and dx lie outside the arena, all else within
    return static_cast<double>(both(0.1, kMillion).arena_bytes()) / kMillion;
  };
}

}  // namespace backdrop::bench
