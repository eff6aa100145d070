#include <algorithm>
#include <backdrop/core/op.hpp>
#include <backdrop/ops/registry.hpp>

#include "passes/passes.hpp"

namespace backdrop::passes {

namespace {

// What checks the values of its operands may throw; so may any kernel of a user's.
bool may_throw(const Op& op) { return op.eval != nullptr && (op.checks_values || find_op(op.name) != &op); }

// Whether the kernel of `node` may write its result where `leaf` lies.
bool writes_over(const Schedule& schedule, const Node& node, std::uint32_t leaf) {
  if (node.op->block != nullptr) return true;
  const auto inputs = node.inputs();
  const auto is_leaf = [&](std::uint32_t input) { return schedule.home[input] == leaf; };
  const auto reads = std::ranges::count_if(inputs, is_leaf);
  return reads == 0 || (node.op->in_place && reads == 1 && is_leaf(inputs[0]));
}

}  // namespace

std::vector<bool> updates_in_place(const Tape& tape, const Schedule& schedule,
                                   std::span<const LeafUpdate> updates) {
  if (updates.empty()) return {};
  // By node, counting parts from 1: the last that reads it, the one that makes it, and where the step of that
  // begins.
  std::vector<std::uint32_t> read(tape.size(), 0), made(tape.size(), 0), begun(tape.size(), 0);
  std::uint32_t throws = 0;
  schedule.for_each_step([&](const Schedule::Step& step) {
    for (std::uint32_t k = step.begin; k < step.end; ++k) {
      const auto [index, few, repeated] = schedule.parts[k];
      const Node& node = tape.node(index);
      if (may_throw(*node.op)) throws = k + 1;
      // Of what repeats, all is read by every panel.
      for (std::uint32_t input : node.inputs()) {
        std::uint32_t& last = read[schedule.home[input]];
        last = std::max(last, repeated ? step.end + 1 : k + 1);
      }
      if (repeated) continue;
      made[index] = k + 1;
      begun[index] = step.begin;
    }
  });
  std::vector<bool> out;
  out.reserve(updates.size());
  for (const auto& [leaf, next] : updates) {
    out.push_back(made[next] > 0 && read[leaf] <= made[next] && throws <= begun[next] &&
                  writes_over(schedule, tape.node(next), leaf));
  }
  return out;
}

}  // namespace backdrop::passes
