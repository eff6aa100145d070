#include "chain.hpp"

#include <backdrop/backdrop.hpp>
#include <cstddef>
#include <memory>
#include <vector>

#include "hand/kernels.hpp"
#include "numbers.hpp"
#include "row.hpp"
#include "rows/contenders.hpp"

namespace backdrop::bench {

namespace {

std::vector<float> inputs(std::int64_t n) { return numbers<float>(static_cast<std::size_t>(n), -3, 3); }

Sampler compiled(std::int64_t n) {
  Tape tape;
  const Var x = tape.variable("x", Tensor::from(inputs(n), {n}));
  return run_sampler(compile(tape, {.outputs = {chain(x)}, .updates = {}}));
}

Sampler by_hand(std::int64_t n) {
  const auto x = std::make_shared<hand::Buffer<float>>(inputs(n));
  const auto y = std::make_shared<hand::Buffer<float>>(x->size());
  return sampler([x, y] { hand::chain(x->data(), y->data(), x->size()); });
}

}  // namespace

void add_chain(std::vector<Row>& rows) {
  constexpr std::int64_t kMillion = 1'000'000;
  rows.push_back({.name = chain_row(kMillion),
                  .unit = "ns/element",
                  .things = kMillion,
                  .backdrop = [] { return compiled(kMillion); },
                  .memcpy = [] { return memcpy_sampler(kMillion); },
                  .hand = [] { return by_hand(kMillion); }});
}

void add_growth_by_elements(std::vector<Row>& rows) {
  for (std::int64_t n = 100'000; n <= 100'000'000; n *= 10) {
    rows.push_back({.name = "growth/chain of 10 elementwise ops/elements=" + std::to_string(n),
                    .unit = "ns/element",
                    .things = static_cast<double>(n),
                    .backdrop = [=] { return compiled(n); }});
  }
}

}  // namespace backdrop::bench
