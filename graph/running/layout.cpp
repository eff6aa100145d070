#include "running/layout.hpp"

#include <algorithm>
#include <backdrop/core/op.hpp>
#include <bit>
#include <map>
#include <numeric>

#include "running/stream.hpp"

namespace backdrop::running {

namespace {

// The largest value takes so much in a panel, at least and at most: several stay in the nearest cache, and
// are worth the calls.
constexpr std::size_t kLeastPanelBytes = std::size_t{2} << 10, kPanelBytes = std::size_t{8} << 10;
// Where this much passes through a group, its operands are asked for: they lie behind the second cache.
constexpr std::size_t kWaitedFor = std::size_t{1} << 20;
// So much at a time is what a processor can wait for beside its work.
constexpr std::size_t kAskedBytes = std::size_t{20} * 64;
// A thread is given about this much of a value at a time.
constexpr std::size_t kGrainBytes = std::size_t{256} << 10;
constexpr std::size_t kVector = 64;

std::size_t in_vectors(std::size_t bytes) { return (bytes + kVector - 1) / kVector * kVector; }

// `rows` positions of the leading axes, as a shape of as many axes.
Shape some_rows(const Shape& whole, std::size_t axes, std::size_t rows) {
  std::vector<std::int64_t> extents(whole.begin(), whole.end());
  std::fill_n(extents.begin(), axes, 1);
  extents[axes - 1] = static_cast<std::int64_t>(rows);
  return Shape(std::move(extents));
}

// Slots of equal size in the scratch of a group, each free again after the last use of its value.
class Slots {
 public:
  std::size_t take() {
    if (free_.empty()) return count_++;
    const std::size_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void give(std::size_t slot) { free_.push_back(slot); }
  std::size_t count() const { return count_; }

 private:
  std::vector<std::size_t> free_;
  std::size_t count_ = 0;
};

class Laying {
 public:
  Laying(const Tape& tape, const passes::Schedule& schedule, const passes::MemoryPlan& memory,
         const passes::Schedule::Step& group, std::deque<Shape>& shapes)
      : tape_(tape),
        schedule_(schedule),
        axes_(group.axes),
        parts_(schedule.parts_of(group)),
        positions_(Shape(rows(parts_.back().node).extents().first(axes_)).numel()),
        shapes_(shapes) {
    for (std::size_t k = 0; k < parts_.size(); ++k) meet(k, memory.stored[group.begin + k]);
    measure_passing();
    for (const auto& part : parts_) {
      Value& value = made_[part.node];
      value.repeated = part.repeated && stands_before_panels(part.node);
      value.streams = value.stored && !value.folded && far();
      if (!value.repeated) times_ += value.streams ? 2 : 1;
    }
  }

  Layout run() {
    choose_panel();
    for (auto& [node, value] : made_) {
      if (value.folded) continue;
      slot_bytes_ = std::max(slot_bytes_, in_vectors(byte_size(dtype(node), per_position(node) * panel_)));
    }
    for (const auto& part : parts_) {  // first, for they are there before all others
      Value& value = made_[part.node];
      if (!value.repeated) continue;
      value.slot = slots_.take();
      value.last_use = parts_.size();
    }
    Layout out{.positions = positions_, .panel = panel_, .grain = grain_};
    for (std::size_t k = 0; k < parts_.size(); ++k) lay(k, out);
    out.addresses = in_vectors(slots_.count() * slot_bytes_);
    out.scratch_bytes = out.addresses + in_vectors(out.operands.size() * sizeof(void*));
    out.streams = std::ranges::any_of(out.parts, &Layout::Part::streams);
    if (waits()) ask_for_next_panel(out);
    return out;
  }

 private:
  // What the group makes.
  struct Value {
    std::size_t last_use, slot;
    bool stored, repeated, folded;
    bool streams = false;

    bool in_scratch() const { return !stored || streams; }
  };

  const Shape& shape(std::uint32_t node) const { return tape_.shape(tape_.node(node).shape); }
  // A node is cut as its value is, or what it folds.
  const Shape& rows(std::uint32_t node) const {
    return shape(folds(node) ? tape_.node(node).inputs()[0] : node);
  }
  bool folds(std::uint32_t node) const { return passes::folded_axes(tape_.call(node)) > 0; }
  DType dtype(std::uint32_t node) const { return tape_.node(node).dtype; }
  std::size_t per_position(std::uint32_t node) const { return shape(node).numel() / positions_; }
  Value* value_of(std::uint32_t operand) {
    const auto at = made_.find(schedule_.home[operand]);
    return at == made_.end() ? nullptr : &at->second;
  }

  void meet(std::size_t k, bool stored) {
    const std::uint32_t node = parts_[k].node;
    made_[node] = {k, 0, stored, false, folds(node)};
    if (made_[node].folded) {
      const Call call = tape_.call(node);
      piece_ = call.node.op->folding->piece(call);
      fewest_ = std::max(fewest_, call.node.op->folding->fewest(call));
    } else {
      measure(node);
    }
    for (std::uint32_t input : tape_.node(node).inputs()) {
      measure(input);
      if (Value* const value = value_of(input)) value->last_use = k;
    }
  }

  void measure(std::uint32_t operand) {
    const std::size_t count = shape(operand).numel();
    largest_ = std::max(largest_, byte_size(dtype(operand), count));
    // Panels of masks begin at whole bytes.
    if (dtype(operand) == DType::mask && count % positions_ == 0) {
      alignment_ = std::max(alignment_, 8 / std::gcd(count / positions_, std::size_t{8}));
    }
  }

  // A value that repeats, unless it follows from what the group makes.
  bool stands_before_panels(std::uint32_t node) {
    for (std::uint32_t input : tape_.node(node).inputs()) {
      if (value_of(input) != nullptr) return false;
    }
    return tape_.node(node).op->repeats(tape_.call(node)) >= axes_;
  }

  void measure_passing() {
    std::vector<std::uint32_t> seen;
    for (const auto& part : parts_) {
      if (made_.at(part.node).stored) written_ += bytes(part.node);
      for (std::uint32_t input : tape_.node(part.node).inputs()) {
        const std::uint32_t home = schedule_.home[input];
        if (made_.contains(home) || std::ranges::count(seen, home) > 0) continue;
        seen.push_back(home);
        read_ += bytes(home);
      }
    }
  }
  std::size_t bytes(std::uint32_t node) const { return byte_size(dtype(node), shape(node).numel()); }

  // Whether what passes through the group does not stay in the second cache, or in any, until it is read.
  bool waits() const { return read_ + written_ >= kWaitedFor; }
  bool far() const { return read_ + written_ >= kStreamed; }

  // What repeats its input along axes that they do not have in common makes each panel from all of it.
  bool takes_all(std::uint32_t node) const {
    return passes::repeats(tape_.node(node)) && passes::axes_in_common(tape_.call(node)) < axes_;
  }

  // Of the largest value. After each kernel memory is asked for a part of the next panel: of what is read,
  // and of what is written there, which has to be fetched before, unless panels would be as small as can be
  // for that.
  std::size_t panel_bytes() {
    if (!waits() || read_ == 0) return kPanelBytes;
    const auto asking_for = [&](std::size_t bytes) {
      return std::bit_floor(kAskedBytes * times_ * largest_ / bytes);
    };
    asks_for_all_ = !far() && asking_for(read_ + written_) > kLeastPanelBytes;
    const std::size_t bytes = asking_for(asks_for_all_ ? read_ + written_ : read_);
    return std::clamp(bytes, kLeastPanelBytes, kPanelBytes);
  }

  // That have so many bytes of the largest value; at least one.
  std::size_t positions_of(std::size_t bytes) const {
    return std::max<std::size_t>(1, bytes * positions_ / largest_);
  }

  void choose_panel() {
    const std::size_t rows = positions_of(panel_bytes());
    if (piece_ == 0) {
      panel_ = std::min((rows + alignment_ - 1) / alignment_ * alignment_, positions_);
      grain_ = panel_ * std::max<std::size_t>(1, positions_of(kGrainBytes) / panel_);
      return;
    }
    // Pieces are whole panels.
    panel_ = std::max(alignment_, fewest_);
    while (2 * panel_ <= std::min(rows, Folding::kTimes * fewest_)) panel_ *= 2;
    panel_ = std::min(panel_, positions_);
    grain_ = piece_;
  }

  void lay(std::size_t k, Layout& out) {
    const std::uint32_t node = parts_[k].node;
    const Call call = tape_.call(node);
    const auto inputs = call.node.inputs();
    Value& value = made_[node];
    Layout::Part part{call, static_cast<std::uint32_t>(out.operands.size()), value.repeated, value.streams};
    if (value.folded) {
      part.states = out.state_bytes;
      part.state_bytes = call.node.op->folding->state_bytes(call);
      out.state_bytes += in_vectors(part.state_bytes * out.pieces());
    }
    out.operands.emplace_back();
    const bool whole = value.repeated || takes_all(node);
    for (std::uint32_t input : inputs) out.operands.push_back(located(input, whole));
    // An elementwise kernel may write over operands of the same type.
    const bool over = call.node.op->block != nullptr &&
                      std::ranges::all_of(inputs, [&](std::uint32_t x) { return dtype(x) == dtype(node); });
    if (over) finish(k, inputs);
    if (value.in_scratch() && !value.repeated) value.slot = slots_.take();
    out.operands[part.first] = located(node, value.folded);
    if (value.streams) out.operands.push_back(in_memory(node));
    if (value.streams && value.last_use == k) slots_.give(value.slot);
    finish(k, inputs);
    out.parts.push_back(part);
  }

  // Of the next panel so much after each kernel that all is asked for by the end: more at once would wait for
  // what was asked for before.
  void ask_for_next_panel(Layout& out) const {
    std::vector<std::uint32_t> seen;
    for (const Layout::Part& part : out.parts) {
      for (std::size_t k = asks_for_all_ ? 0 : 1; k <= part.call.arity(); ++k) {
        const Operand& x = out.operands[part.first + k];
        const std::uint32_t home = schedule_.home[x.node];
        const bool is_there = k > 0 && made_.contains(home);  // an earlier kernel wrote it
        if (x.stride == 0 || is_there || std::ranges::count(seen, home) > 0) continue;
        seen.push_back(home);
        out.asked.push_back({static_cast<std::uint32_t>(part.first + k), in_vectors(x.stride / times_ + 1)});
      }
    }
  }

  void finish(std::size_t k, std::span<const std::uint32_t> inputs) {
    for (std::uint32_t input : inputs) {
      Value* const value = value_of(input);
      if (value == nullptr || !value->in_scratch() || value->last_use != k) continue;
      slots_.give(value->slot);
      value->last_use = parts_.size();  // given back once
    }
  }

  Operand located(std::uint32_t node, bool whole) {
    Operand out{.node = node, .dtype = dtype(node), .per_position = per_position(node)};
    if (const Value* const value = value_of(node); value != nullptr && value->in_scratch()) {
      out.place = Operand::Place::panel;
      out.offset = value->slot * slot_bytes_;
    } else if (!whole) {
      out = in_memory(node);
    }
    if (out.place == Operand::Place::whole) {
      out.panel = out.last = &shape(node);
    } else if (shape(node).rank() >= axes_) {  // else only elementwise kernels take it, which know no shapes
      const std::size_t rest = positions_ % panel_;
      out.panel = &shapes_.emplace_back(some_rows(shape(node), axes_, panel_));
      out.last = rest == 0 ? out.panel : &shapes_.emplace_back(some_rows(shape(node), axes_, rest));
    }
    return out;
  }
  Operand in_memory(std::uint32_t node) const {
    return {.node = node,
            .dtype = dtype(node),
            .place = Operand::Place::cut,
            .per_position = per_position(node),
            .stride = byte_size(dtype(node), panel_ * per_position(node))};
  }

  const Tape& tape_;
  const passes::Schedule& schedule_;
  std::size_t axes_;
  std::span<const passes::Schedule::Part> parts_;
  std::size_t positions_;
  std::deque<Shape>& shapes_;
  std::map<std::uint32_t, Value> made_;
  std::size_t largest_ = 1, alignment_ = 1;  // bytes; positions
  std::size_t read_ = 0, written_ = 0;       // bytes, from memory and there
  std::size_t times_ = 0;                    // kernels of a panel, and copies of what they made
  bool asks_for_all_ = false;
  std::size_t piece_ = 0, fewest_ = 1;  // of folds, in positions
  std::size_t panel_ = 1, grain_ = 1, slot_bytes_ = kVector;
  Slots slots_;
};

}  // namespace

Layout lay_out(const Tape& tape, const passes::Schedule& schedule, const passes::MemoryPlan& memory,
               const passes::Schedule::Step& group, std::deque<Shape>& shapes) {
  return Laying(tape, schedule, memory, group, shapes).run();
}

}  // namespace backdrop::running
