#include <algorithm>
#include <backdrop/core/op.hpp>

#include "passes/passes.hpp"

namespace backdrop::passes {

namespace {

constexpr std::size_t kVector = 64;  // slots start at whole vectors and are padded to them

// Free stretches of the arena, by offset; neighbours are joined. There are few of them at any time, and the
// first that is large enough is taken: a sorted array beats a tree.
class FreeList {
 public:
  std::size_t take(std::size_t bytes) {
    for (Stretch& stretch : free_) {
      if (stretch.bytes < bytes) continue;
      const std::size_t offset = stretch.offset;
      stretch.offset += bytes;
      stretch.bytes -= bytes;
      if (stretch.bytes == 0) free_.erase(free_.begin() + (&stretch - free_.data()));
      return offset;
    }
    const std::size_t offset = end_;
    end_ += bytes;
    return offset;
  }
  void give(std::size_t offset, std::size_t bytes) {
    const auto next = std::ranges::lower_bound(free_, offset, {}, &Stretch::offset);
    const bool joins_next = next != free_.end() && offset + bytes == next->offset;
    const bool joins_before =
        next != free_.begin() && std::prev(next)->offset + std::prev(next)->bytes == offset;
    if (joins_before) {
      std::prev(next)->bytes += bytes + (joins_next ? next->bytes : 0);
      if (joins_next) free_.erase(next);
    } else if (joins_next) {
      *next = {offset, bytes + next->bytes};
    } else {
      free_.insert(next, {offset, bytes});
    }
  }
  std::size_t end() const { return end_; }

 private:
  struct Stretch {
    std::size_t offset, bytes;
  };
  std::vector<Stretch> free_;
  std::size_t end_ = 0;
};

std::size_t slot_bytes(const Tape& tape, const Node& node) {
  const std::size_t used = byte_size(node.dtype, tape.shape(node.shape).numel());
  return std::max<std::size_t>((used + kVector - 1) / kVector * kVector, kVector);
}

class Planning {
 public:
  Planning(const Tape& tape, const Schedule& schedule, const std::vector<bool>& results)
      : tape_(tape), schedule_(schedule), results_(results) {
    plan_.offset.assign(tape.size(), MemoryPlan::kElsewhere);
    plan_.stored.assign(schedule.parts.size(), false);
    last_use_.assign(tape.size(), kNever);
    step_with_.assign(tape.size(), kNever);
    slot_.resize(tape.size());
    for (std::uint32_t i = 0; i < tape.size(); ++i) slot_[i] = slot_bytes(tape, tape.node(i));
  }

  MemoryPlan run() {
    find_uses();
    // What outlives a run comes first, so that no slot before it is ever shared with it.
    for (std::uint32_t i : plan_.fixed) plan_.offset[i] = free_.take(slot_[i]);
    for (std::uint32_t s = 0; s < schedule_.steps.size(); ++s) place(s);
    plan_.bytes = free_.end();
    return std::move(plan_);
  }

 private:
  static constexpr std::uint32_t kNever = 0xFFFFFFFF;

  std::uint32_t home(std::uint32_t node) const { return schedule_.home[node]; }
  bool in_arena(std::uint32_t node) const { return plan_.offset[node] != MemoryPlan::kElsewhere; }

  // A value that a step needs and does not make itself is stored, up to its last such step.
  void find_uses() {
    std::vector<bool> fixed(tape_.size(), false);
    for (std::uint32_t s = 0; s < schedule_.steps.size(); ++s) {
      const auto parts = schedule_.parts_of(schedule_.steps[s]);
      for (const Schedule::Part& part : parts) step_with_[part.node] = s;
      for (const Schedule::Part& part : parts) {
        for (std::uint32_t input : tape_.node(part.node).inputs()) {
          const std::uint32_t from = home(input);
          if (step_with_[from] == s) continue;
          if (!is_fixed(tape_.node(from)) || results_[from]) {
            last_use_[from] = s;
          } else if (!fixed[from]) {
            fixed[from] = true;
            plan_.fixed.push_back(from);
          }
        }
      }
    }
    std::ranges::sort(plan_.fixed);  // as they were recorded
    for (const Schedule::Step& step : schedule_.steps) {
      for (std::uint32_t k = step.begin; k < step.end; ++k) {
        const auto [node, repeated] = schedule_.parts[k];
        plan_.stored[k] = !repeated && (results_[node] || step.axes == 0 || last_use_[node] != kNever);
      }
    }
  }

  void place(std::uint32_t s) {
    const Schedule::Step& step = schedule_.steps[s];
    for (std::uint32_t k = step.begin; k < step.end; ++k) {
      const std::uint32_t i = schedule_.parts[k].node;
      if (!plan_.stored[k] || results_[i]) continue;
      const std::uint32_t over = written_over(s, k);
      if (over == kNever) {
        plan_.offset[i] = free_.take(slot_[i]);
      } else {
        plan_.offset[i] = plan_.offset[over];
        last_use_[over] = kNever;  // given on
      }
    }
    for (const Schedule::Part& part : schedule_.parts_of(step)) {
      for (std::uint32_t input : tape_.node(part.node).inputs()) {
        if (in_arena(home(input)) && last_use_[home(input)] == s) release(home(input));
      }
    }
    for (std::uint32_t k = step.begin; k < step.end; ++k) {
      const std::uint32_t i = schedule_.parts[k].node;
      if (plan_.stored[k] && in_arena(i) && last_use_[i] == kNever) release(i);  // nobody reads it
    }
  }

  void release(std::uint32_t node) {
    free_.give(plan_.offset[node], slot_[node]);
    last_use_[node] = kNever;  // given back once
  }

  // An operand in the arena that dies in step s, whose slot the value of part k may take.
  std::uint32_t written_over(std::uint32_t s, std::uint32_t k) const {
    const std::uint32_t i = schedule_.parts[k].node;
    const Node& node = tape_.node(i);
    const auto inputs = node.inputs();
    if (node.op->block == nullptr && !node.op->in_place) return kNever;
    for (std::uint32_t input : node.op->block == nullptr ? inputs.first(1) : inputs) {
      const std::uint32_t from = home(input);
      const Node& other = tape_.node(from);
      const bool dies = in_arena(from) && last_use_[from] == s && !is_fixed(other);
      if (dies && other.dtype == node.dtype && slot_[from] == slot_[i] && !needed_otherwise(s, k, from)) {
        return from;
      }
    }
    return kNever;
  }

  // Whether a value is read after part k in the same step, or not panel by panel.
  bool needed_otherwise(std::uint32_t s, std::uint32_t k, std::uint32_t from) const {
    const Schedule::Step& step = schedule_.steps[s];
    for (std::uint32_t j = step.begin; j < step.end; ++j) {
      const auto [node, repeated] = schedule_.parts[j];
      if (j <= k && !repeated) continue;
      for (std::uint32_t input : tape_.node(node).inputs()) {
        if (home(input) == from) return true;
      }
    }
    return false;
  }

  const Tape& tape_;
  const Schedule& schedule_;
  const std::vector<bool>& results_;
  MemoryPlan plan_;
  FreeList free_;
  std::vector<std::uint32_t> last_use_, step_with_;  // steps, by home
  std::vector<std::size_t> slot_;                    // bytes, by node
};

}  // namespace

MemoryPlan plan_memory(const Tape& tape, const Schedule& schedule, const std::vector<bool>& results) {
  return Planning(tape, schedule, results).run();
}

}  // namespace backdrop::passes
