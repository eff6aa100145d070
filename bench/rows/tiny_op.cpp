#include <backdrop/backdrop.hpp>
#include <memory>
#include <string>

#include "row.hpp"
#include "rows/contenders.hpp"
#include "tiny_chain.hpp"

namespace backdrop::bench {

namespace {

struct Chain {
  explicit Chain(int length) : ops(length) {}

  int ops;
  Variable w{"w", Tensor({0.5})};
  Tape tape;
  Var x, y;

  // A new graph, in the memory of the last one.
  void record() {
    tape.clear();
    y = x = tape.variable(w);
    for (int k = 0; k < ops; ++k) {
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

Sampler record(int ops) {
  return sampler([chain = std::make_shared<Chain>(ops)] { chain->record(); });
}

Sampler replay_forward(int ops) {
  Chain chain(ops);
  chain.record();
  return run_sampler(chain.value());
}

// What forwards and backwards take, less what forwards take alone.
Sampler replay_backward(int ops) {
  Chain chain(ops);
  chain.record();
  return [forward = run_sampler(chain.value()), both = run_sampler(chain.value_and_gradient())] {
    const double without = forward();
    return both() - without;
  };
}

Sampler record_compile_run(int ops) {
  return sampler([chain = std::make_shared<Chain>(ops)] {
    chain->record();
    chain->value_and_gradient().run({}, {.threads = 1});
  });
}

Row row(const std::string& name, Sampler (*make)(int), int ops) {
  return {.name = name, .unit = "ns/op", .things = static_cast<double>(ops), .backdrop = [=] {
            return make(ops);
          }};
}

}  // namespace

void add_tiny_ops(std::vector<Row>& rows) {
  rows.push_back(row("tiny_op/record", record, TinyChain::kOps));
  rows.push_back(row("tiny_op/replay_forward", replay_forward, TinyChain::kOps));
  rows.push_back(row("tiny_op/replay_backward", replay_backward, TinyChain::kOps));
  rows.push_back(row("tiny_op/record_compile_run", record_compile_run, TinyChain::kOps));
}

void add_growth_by_nodes(std::vector<Row>& rows) {
  for (int ops = 10'000; ops <= 10'000'000; ops *= 10) {
    const std::string size = "/nodes=" + std::to_string(ops);
    rows.push_back(row("growth/record" + size, record, ops));
    rows.push_back(row("growth/replay_forward" + size, replay_forward, ops));
    rows.push_back(row("growth/record_compile_run" + size, record_compile_run, ops));
  }
}

}  // namespace backdrop::bench
