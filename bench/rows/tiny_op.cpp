#include <backdrop/backdrop.hpp>
#include <memory>

#include "row.hpp"
#include "rows/contenders.hpp"
#include "tiny_chain.hpp"

namespace backdrop::bench {

namespace {

struct Chain {
  Variable w{"w", Tensor({0.5})};
  Tape tape;
  Var x, y;

  // A new graph, in the memory of the last one.
  void record() {
    tape.clear();
    y = x = tape.variable(w);
    for (int k = 0; k < TinyChain::kOps; ++k) {
      switch (TinyChain::op(k)) {
        case TinyChain::Op::add:
          y = add(y, x);
          break;
        case TinyChain::Op::mul:
          y = mul(y, x);
          break;
        case TinyChain::Op::square:
          y = square(y);
      }
    }
  }
  Program value() const { return compile(tape, {.outputs = {y}, .updates = {}}); }
  Program value_and_gradient() const { return compile(tape, {.outputs = {y, grad(y, x)}, .updates = {}}); }
};

Sampler record() {
  return sampler([chain = std::make_shared<Chain>()] { chain->record(); });
}

Sampler replay_forward() {
  Chain chain;
  chain.record();
  return run_sampler(chain.value());
}

// What forwards and backwards take, less what forwards take alone.
Sampler replay_backward() {
  Chain chain;
  chain.record();
  return [forward = run_sampler(chain.value()), both = run_sampler(chain.value_and_gradient())] {
    const double without = forward();
    return both() - without;
  };
}

Sampler record_compile_run() {
  return sampler([chain = std::make_shared<Chain>()] {
    chain->record();
    chain->value_and_gradient().run({}, {.threads = 1});
  });
}

}  // namespace

void add_tiny_ops(std::vector<Row>& rows) {
  const auto add = [&](const char* name, Sampler (*make)()) {
    rows.push_back({.name = name, .unit = "ns/op", .things = TinyChain::kOps, .backdrop = make});
  };
  add("tiny_op/record", record);
  add("tiny_op/replay_forward", replay_forward);
  add("tiny_op/replay_backward", replay_backward);
  add("tiny_op/record_compile_run", record_compile_run);
}

}  // namespace backdrop::bench
