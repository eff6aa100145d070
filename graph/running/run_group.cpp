#include "running/run_group.hpp"

#include <hwy/cache_control.h>

#include <algorithm>
#include <backdrop/core/op.hpp>

#include "running/stream.hpp"

namespace backdrop::running {

namespace {

std::byte* moved(void* data, std::size_t bytes) { return static_cast<std::byte*>(data) + bytes; }

// What one thread does with the positions of a grain.
class Piece {
 public:
  Piece(const Layout& group, const GroupMemory& memory, std::size_t begin, std::size_t thread,
        std::uint32_t step)
      : group_(group), states_(memory.states), piece_(begin / group.grain), step_(step) {
    std::byte* const scratch = memory.scratch + thread * memory.scratch_stride;
    at_ = reinterpret_cast<void**>(scratch + group.addresses);
    for (std::size_t k = 0; k < group.operands.size(); ++k) {
      const Operand& x = group.operands[k];
      at_[k] = x.place == Operand::Place::panel ? scratch + x.offset
               : x.place == Operand::Place::cut
                   ? moved(memory.data[x.node], byte_size(x.dtype, begin * x.per_position))
                   : memory.data[x.node];
    }
  }

  void run(std::size_t begin, std::size_t end) {
    for (const Layout::Part& part : group_.parts) {
      if (part.repeated) compute(part, {0, group_.panel, true});
      if (part.state_bytes > 0) part.op().folding->begin(part.call, state(part));
    }
    for (std::size_t first = begin; first < end; first += group_.panel) {
      const std::size_t count = std::min(group_.panel, end - first);
      run({first, count, count == group_.panel});
      go_on();
    }
    if (group_.streams) end_streaming();
  }

 private:
  // Positions [first, first + count).
  struct Panel {
    std::size_t first, count;
    bool whole;  // as many as panels have, but for the last one
  };

  void run(const Panel& panel) {
    std::size_t times = 0;
    for (const Layout::Part& part : group_.parts) {
      if (part.repeated) continue;
      compute(part, panel);
      ask_for_next_panel(times++);
      if (!part.streams) continue;
      const Operand& y = group_.operands[part.first];
      stream(at_[part.first + 1 + part.call.arity()], at_[part.first],
             byte_size(y.dtype, panel.count * y.per_position));
      ask_for_next_panel(times++);
    }
  }

  void go_on() {
    for (std::size_t k = 0; k < group_.operands.size(); ++k) {
      at_[k] = moved(at_[k], group_.operands[k].stride);
    }
  }

  void compute(const Layout::Part& part, const Panel& panel) const {
    const Op& op = part.op();
    const Operand* const operands = group_.operands.data() + part.first;
    void* const* const at = at_ + part.first;
    const std::size_t per_position = operands[0].per_position, first = panel.first * per_position;
    if (op.block != nullptr) {
      op.block(Block{part.call, at[0], at + 1, panel.count * per_position, first, step_});
      return;
    }
    Array arrays[1 + kMaxInputs];
    for (std::size_t k = 0; k <= part.call.arity(); ++k) {
      arrays[k] = {at[k], panel.whole ? operands[k].panel : operands[k].last, operands[k].dtype};
    }
    if (part.state_bytes > 0) {
      op.folding->take(part.call, arrays[1], state(part));
    } else {
      op.eval(Eval{part.call, arrays[0], arrays + 1, alone_, step_, first});
    }
  }

  void* state(const Layout::Part& part) const { return states_ + part.states + piece_ * part.state_bytes; }

  // A portion of the next panel. What lies behind the last one may be asked for, too. (Inline, for g++ 12
  // takes a function that does nothing else for one that does nothing.)
  HWY_INLINE void ask_for_next_panel(std::size_t times) const {
    for (const Layout::Asked& asked : group_.asked) {
      const std::size_t whole = group_.operands[asked.operand].stride;
      const std::byte* const next = moved(at_[asked.operand], whole);
      const std::size_t end = std::min(whole, (times + 1) * asked.portion);
      for (std::size_t k = times * asked.portion; k < end; k += 64) hwy::Prefetch(next + k);
    }
  }

  const Layout& group_;
  std::byte* states_;
  void** at_;  // each operand of the panel
  std::size_t piece_;
  std::uint32_t step_;
  Workers alone_{1};
};

}  // namespace

void run_group(const Layout& group, const GroupMemory& memory, const Workers& workers, std::uint32_t step) {
  workers.for_each(group.positions, group.grain, [&](std::size_t begin, std::size_t end) {
    Piece(group, memory, begin, workers.slot(), step).run(begin, end);
  });
  for (const Layout::Part& part : group.parts) {
    if (part.state_bytes == 0) continue;
    const Operand& y = group.operands[part.first];
    part.op().folding->finish(part.call, {memory.data[y.node], y.panel, y.dtype}, memory.states + part.states,
                              group.pieces());
  }
}

}  // namespace backdrop::running
