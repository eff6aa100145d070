#include <algorithm>
#include <backdrop/core/op.hpp>
#include <map>

#include "passes/passes.hpp"

namespace backdrop::passes {

namespace {

constexpr std::size_t kVector = 64;  // slots start at whole vectors and are padded to them

// Free stretches of the arena by offset; neighbours are joined.
class FreeList {
 public:
  std::size_t take(std::size_t bytes) {
    for (auto at = free_.begin(); at != free_.end(); ++at) {
      if (at->second < bytes) continue;
      const std::size_t offset = at->first;
      const std::size_t rest = at->second - bytes;
      free_.erase(at);
      if (rest > 0) free_.emplace(offset + bytes, rest);
      return offset;
    }
    const std::size_t offset = end_;
    end_ += bytes;
    return offset;
  }
  void give(std::size_t offset, std::size_t bytes) {
    auto at = free_.emplace(offset, bytes).first;
    if (const auto next = std::next(at); next != free_.end() && offset + bytes == next->first) {
      at->second += next->second;
      free_.erase(next);
    }
    if (at == free_.begin()) return;
    const auto before = std::prev(at);
    if (before->first + before->second == at->first) {
      before->second += at->second;
      free_.erase(at);
    }
  }
  std::size_t end() const { return end_; }

 private:
  std::map<std::size_t, std::size_t> free_;
  std::size_t end_ = 0;
};

std::size_t slot_bytes(const Tape& tape, const Node& node) {
  const std::size_t used = byte_size(node.dtype, tape.shape(node.shape).numel());
  return std::max<std::size_t>((used + kVector - 1) / kVector * kVector, kVector);
}

}  // namespace

bool is_fixed(const Node& node) { return node.arity == 0 && !is_leaf(*node.op) && !node.op->random; }

MemoryPlan plan_memory(const Tape& tape, const std::vector<bool>& results) {
  constexpr std::uint32_t kNever = 0xFFFFFFFF;
  const std::size_t n = tape.size();
  MemoryPlan plan;
  plan.offset.assign(n, MemoryPlan::kElsewhere);
  plan.home.resize(n);
  std::vector<std::uint32_t> last_use(n);
  for (std::size_t i = 0; i < n; ++i) {
    const Node& node = tape.node(i);
    const bool view = node.op->view && !results[i];
    plan.home[i] = view ? plan.home[node.inputs()[0]] : static_cast<std::uint32_t>(i);
    last_use[i] = is_fixed(node) || results[i] || is_leaf(*node.op) ? kNever : static_cast<std::uint32_t>(i);
    for (std::uint32_t input : node.inputs()) {
      std::uint32_t& last = last_use[plan.home[input]];
      if (last != kNever) last = static_cast<std::uint32_t>(i);
    }
  }
  FreeList free;
  const auto release = [&](std::uint32_t home) {
    free.give(plan.offset[home], slot_bytes(tape, tape.node(home)));
    last_use[home] = kNever;  // given back once
  };
  // What outlives a run comes first, so that no slot before it is ever shared with it.
  for (std::size_t i = 0; i < n; ++i) {
    if (is_fixed(tape.node(i)) && !results[i]) plan.offset[i] = free.take(slot_bytes(tape, tape.node(i)));
  }
  for (std::size_t i = 0; i < n; ++i) {
    const Node& node = tape.node(i);
    if (is_leaf(*node.op) || is_fixed(node)) continue;
    if (plan.home[i] != i) {
      plan.offset[i] = plan.offset[plan.home[i]];
      continue;
    }
    std::uint32_t reused = kNever;
    for (std::uint32_t input : node.inputs()) {
      const std::uint32_t home = plan.home[input];
      if (last_use[home] != i || home == i) continue;
      const bool in_place = reused == kNever && !results[i] && node.op->block != nullptr &&
                            tape.node(home).dtype == node.dtype &&
                            slot_bytes(tape, tape.node(home)) == slot_bytes(tape, node);
      if (in_place) {
        reused = home;
        plan.offset[i] = plan.offset[home];
        last_use[home] = kNever;
      }
    }
    if (!results[i] && reused == kNever) plan.offset[i] = free.take(slot_bytes(tape, node));
    for (std::uint32_t input : node.inputs()) {
      const std::uint32_t home = plan.home[input];
      if (home != i && last_use[home] == i) release(home);
    }
    if (!results[i] && last_use[i] == i) release(static_cast<std::uint32_t>(i));  // nobody reads it
  }
  plan.bytes = free.end();
  return plan;
}

}  // namespace backdrop::passes
