#include <algorithm>
#include <backdrop/core/op.hpp>
#include <utility>

#include "passes/passes.hpp"

namespace backdrop::passes {

namespace {

constexpr std::uint32_t kNone = 0xFFFFFFFF;
constexpr std::size_t kVector = 64;  // slots start at whole vectors and are padded to them

// Free stretches of the arena, by offset; neighbours are joined, and the first that is large enough is taken.
// Mostly there are few, but of a derivative of a derivative as many as nodes: so they stand in lists, one
// after the other, none of which is long, and those without a large enough one are passed over.
class FreeList {
 public:
  std::size_t take(std::size_t bytes) {
    const auto list = std::ranges::find_if(lists_, [&](const List& l) { return l.largest >= bytes; });
    if (list == lists_.end()) return std::exchange(end_, end_ + bytes);
    const auto at = std::ranges::find_if(list->free, [&](const Stretch& s) { return s.bytes >= bytes; });
    const Stretch whole = *at;
    *at = {whole.offset + bytes, whole.bytes - bytes};
    if (at->bytes == 0) {
      erase(list, at, whole.bytes);
    } else if (whole.bytes == list->largest) {
      list->find_largest();
    }
    return whole.offset;
  }

  void give(std::size_t offset, std::size_t bytes) {
    if (lists_.empty()) lists_.emplace_back();
    // The last one that begins before it, or the first of all.
    auto list = std::ranges::upper_bound(lists_.begin() + 1, lists_.end(), offset, {}, &List::begin) - 1;
    auto at = std::ranges::lower_bound(list->free, offset, {}, &Stretch::offset);
    if (at != list->free.begin() && std::prev(at)->end() == offset) {
      --at;
      at->bytes += bytes;
    } else {
      at = list->free.insert(at, {offset, bytes});
    }
    const bool last = at + 1 == list->free.end();
    const auto after = list + (last ? 1 : 0);
    if (after != lists_.end()) {
      const auto next = last ? after->free.begin() : at + 1;
      if (next->offset == at->end()) {
        at->bytes += next->bytes;
        erase(after, next, next->bytes);
      }
    }
    list->largest = std::max(list->largest, at->bytes);
    if (list->free.size() > kMost) split(list);
  }
  std::size_t end() const { return end_; }

 private:
  static constexpr std::size_t kMost = 256;

  struct Stretch {
    std::size_t offset, bytes;
    std::size_t end() const { return offset + bytes; }
  };
  struct List {
    std::vector<Stretch> free;
    std::size_t largest = 0;

    std::size_t begin() const { return free.front().offset; }
    void find_largest() { largest = std::ranges::max_element(free, {}, &Stretch::bytes)->bytes; }
  };
  using Lists = std::vector<List>;

  void erase(Lists::iterator list, std::vector<Stretch>::iterator at, std::size_t bytes) {
    list->free.erase(at);
    if (list->free.empty()) {
      lists_.erase(list);
    } else if (bytes == list->largest) {
      list->find_largest();
    }
  }

  void split(Lists::iterator list) {
    const auto middle = list->free.begin() + kMost / 2;
    List rest{{middle, list->free.end()}};
    list->free.erase(middle, list->free.end());
    list->find_largest();
    rest.find_largest();
    lists_.insert(list + 1, std::move(rest));
  }

  Lists lists_;
  std::size_t end_ = 0;
};

std::size_t slot_bytes(const Tape& tape, const Node& node) {
  const std::size_t used = byte_size(node.dtype, tape.shape(node.shape).numel());
  return std::max<std::size_t>((used + kVector - 1) / kVector * kVector, kVector);
}

class Planning {
 public:
  Planning(const Tape& tape, const Schedule& schedule, const std::vector<bool>& results)
      : tape_(tape), schedule_(schedule), results_(results), last_use_(tape.size(), kNever) {
    plan_.offset.assign(tape.size(), MemoryPlan::kElsewhere);
    if (schedule.groups.empty()) return;
    plan_.stored.assign(schedule.parts.size(), false);
    made_.assign(tape.size(), kNever);
  }

  MemoryPlan run() {
    schedule_.for_each_step([this](const Schedule::Step& step) { find_uses(step); });
    for (const Schedule::Step& group : schedule_.groups) find_stored(group);
    // What outlives a run comes first, so that no slot before it is ever shared with it.
    for (std::uint32_t i : schedule_.fixed) {
      if (last_use_[i] != kNever) keep(i);
    }
    schedule_.for_each_step([this](const Schedule::Step& step) {
      if (step.axes > 0) {
        place_group(step);
      } else {
        place_alone(step);
      }
    });
    plan_.bytes = free_.end();
    return std::move(plan_);
  }

 private:
  // Steps are told apart by where they end.
  static constexpr std::uint32_t kNever = 0;

  std::uint32_t home(std::uint32_t node) const { return schedule_.home[node]; }
  bool in_arena(std::uint32_t node) const { return plan_.offset[node] != MemoryPlan::kElsewhere; }
  std::size_t slot(std::uint32_t node) const { return slot_bytes(tape_, tape_.node(node)); }

  // A value that a step needs and does not make itself is stored, up to its last such step.
  void find_uses(const Schedule::Step& step) {
    const bool group = step.axes > 0;
    const auto parts = schedule_.parts_of(step);
    if (group) {
      for (const Schedule::Part& part : parts) made_[part.node] = step.end;
    }
    for (const Schedule::Part& part : parts) {
      for (std::uint32_t input : tape_.node(part.node).inputs()) {
        const std::uint32_t from = home(input);
        if (!group || made_[from] != step.end) last_use_[from] = step.end;
      }
    }
  }

  void find_stored(const Schedule::Step& group) {
    for (std::uint32_t k = group.begin; k < group.end; ++k) {
      const Schedule::Part& part = schedule_.parts[k];
      plan_.stored[k] = !part.repeated && (results_[part.node] || last_use_[part.node] != kNever);
    }
  }

  void keep(std::uint32_t fixed) {
    plan_.fixed.push_back(fixed);
    plan_.offset[fixed] = free_.take(slot(fixed));
    last_use_[fixed] = kNever;  // stays
  }

  void place_alone(const Schedule::Step& step) {
    const std::uint32_t i = schedule_.parts[step.begin].node;
    const bool own_memory = results_[i];
    if (!own_memory) place(step, step.begin);
    release_inputs(step, i);
    if (!own_memory && last_use_[i] == kNever) release(i);  // nobody reads it
  }

  // What a group makes comes to lie beside its operands, for it reads some of them to its end.
  void place_group(const Schedule::Step& group) {
    for (std::uint32_t k = group.begin; k < group.end; ++k) {
      if (plan_.stored[k] && !results_[schedule_.parts[k].node]) place(group, k);
    }
    for (const Schedule::Part& part : schedule_.parts_of(group)) release_inputs(group, part.node);
  }

  void place(const Schedule::Step& step, std::uint32_t k) {
    const std::uint32_t i = schedule_.parts[k].node;
    const std::uint32_t over = written_over(step, k);
    if (over == kNone) {
      plan_.offset[i] = free_.take(slot(i));
    } else {
      plan_.offset[i] = plan_.offset[over];
      last_use_[over] = kNever;  // given on
    }
  }

  void release_inputs(const Schedule::Step& step, std::uint32_t node) {
    for (std::uint32_t input : tape_.node(node).inputs()) {
      const std::uint32_t from = home(input);
      if (last_use_[from] == step.end && in_arena(from)) release(from);
    }
  }

  void release(std::uint32_t node) {
    free_.give(plan_.offset[node], slot(node));
    last_use_[node] = kNever;  // given back once
  }

  // An operand in the arena that dies in this step, whose slot the value of part k may take.
  std::uint32_t written_over(const Schedule::Step& step, std::uint32_t k) const {
    const std::uint32_t i = schedule_.parts[k].node;
    const Node& node = tape_.node(i);
    const auto inputs = node.inputs();
    if (node.op->block == nullptr && !node.op->in_place) return kNone;
    for (std::uint32_t input : node.op->block == nullptr ? inputs.first(1) : inputs) {
      const std::uint32_t from = home(input);
      if (last_use_[from] != step.end || !in_arena(from)) continue;
      const Node& other = tape_.node(from);
      if (other.dtype != node.dtype) continue;
      if (other.shape != node.shape && slot(from) != slot(i)) continue;
      if (step.axes == 0 || !needed_otherwise(step, k, from)) return from;
    }
    return kNone;
  }

  // Whether a value is read after part k in the same step, or not panel by panel.
  bool needed_otherwise(const Schedule::Step& step, std::uint32_t k, std::uint32_t from) const {
    for (std::uint32_t j = step.begin; j < step.end; ++j) {
      const Schedule::Part& part = schedule_.parts[j];
      if (j <= k && !part.repeated) continue;
      for (std::uint32_t input : tape_.node(part.node).inputs()) {
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
  LargeVector<std::uint32_t> last_use_;  // steps, by home
  LargeVector<std::uint32_t> made_;      // steps, by node, for parts of groups
};

}  // namespace

MemoryPlan plan_memory(const Tape& tape, const Schedule& schedule, const std::vector<bool>& results) {
  return Planning(tape, schedule, results).run();
}

}  // namespace backdrop::passes
