#include "running/plan.hpp"

#include <algorithm>
#include <numeric>

#include "running/workspace.hpp"

namespace backdrop::running {

namespace {

// A panel holds about this many elements: its values stay in the nearest cache, and are worth the calls.
constexpr std::size_t kPanelElements = 1024;
// A thread is given about this many at a time.
constexpr std::size_t kGrainElements = 65536;
constexpr std::size_t kVector = 64;

std::size_t in_vectors(std::size_t bytes) { return (bytes + kVector - 1) / kVector * kVector; }

}  // namespace

Ends::Ends(const Rewrite& lowered, const Targets& targets) {
  const Tape& tape = lowered.tape();
  constexpr std::uint32_t kNew = 0xFFFFFFFF;
  std::vector<std::uint32_t> result_of(tape.size(), kNew);
  const auto add_result = [&](Var old) {
    const std::uint32_t node = lowered(old).index();
    if (result_of[node] == kNew) {
      result_of[node] = static_cast<std::uint32_t>(results.size());
      results.push_back(node);
    }
    return result_of[node];
  };
  for (Var v : targets.outputs) outputs.push_back(add_result(v));
  for (const Update& u : targets.updates) updates.push_back({u.variable, add_result(u.next)});
  for (std::uint32_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    if (node.op == &input_op || node.op == &variable_op) leaves.push_back(i);
    if (node.op == &variable_op) {
      const auto at = std::ranges::find(updates, tape.variable_of(node), &Publish::variable);
      if (at != updates.end()) at->leaf = i;
    }
    random = random || node.op->random;
  }
  const Tape& recorded = lowered.from();
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    const Node& node = recorded.node(i);
    if (node.op != &input_op) continue;
    Input input{node.dtype, recorded.shape(node.shape), std::nullopt};
    if (const Var v = lowered.at(i)) input.node = v.index();
    inputs.emplace(recorded.name(i), std::move(input));
  }
}

Plan::Plan(std::shared_ptr<const Rewrite> lowered, Ends from_to, Order how)
    : recording(std::move(lowered)), ends(std::move(from_to)), order(how) {
  std::vector<bool> is_result(tape().size(), false);
  for (std::uint32_t node : ends.results) is_result[node] = !is_leaf(*tape().node(node).op);
  schedule =
      order == Order::grouped ? passes::group(tape(), is_result) : passes::one_by_one(tape(), is_result);
  memory = passes::plan_memory(tape(), schedule, is_result);
  find_updates_in_place();
  add_steps();
}

Plan::~Plan() = default;

std::shared_ptr<const Plan> Plan::ungrouped() const {
  const std::lock_guard lock(mutex_);
  if (!ungrouped_) ungrouped_ = std::make_shared<Plan>(recording, ends, Order::one_by_one);
  return ungrouped_;
}

void Plan::find_updates_in_place() {
  in_place.assign(ends.results.size(), false);
  if (order == Order::one_by_one) return;  // looks at values, and may throw at any
  std::vector<std::size_t> uses(ends.results.size(), 0);
  for (std::uint32_t result : ends.outputs) ++uses[result];
  for (const Ends::Publish& update : ends.updates) ++uses[update.result];
  std::vector<passes::LeafUpdate> candidates;
  std::vector<std::uint32_t> results;
  for (const Ends::Publish& update : ends.updates) {
    if (update.leaf == Ends::Publish::kNone || uses[update.result] != 1) continue;
    if (std::ranges::count(ends.results, update.leaf) > 0) continue;  // the old value is asked for, too
    candidates.push_back({update.leaf, ends.results[update.result]});
    results.push_back(update.result);
  }
  const std::vector<bool> may = passes::updates_in_place(tape(), schedule, candidates);
  for (std::size_t k = 0; k < results.size(); ++k) in_place[results[k]] = may[k];
}

void Plan::add_steps() {
  for (std::uint32_t i : memory.fixed) add_kernel(fixed, i, false);
  steps.reserve(schedule.steps.size());
  kernels.reserve(schedule.parts.size());
  for (const passes::Schedule::Step& step : schedule.steps) {
    if (step.axes > 0) {
      add_group(step);
      continue;
    }
    const auto begin = static_cast<std::uint32_t>(kernels.size());
    add_kernel(kernels, schedule.parts[step.begin].node, false);
    steps.push_back({.begin = begin, .end = begin + 1, .positions = kernels.back().call.y.shape().numel()});
  }
}

void Plan::add_kernel(std::vector<Kernel>& to, std::uint32_t node, bool repeated) {
  to.push_back({tape().call(node), static_cast<std::uint32_t>(operands.size()), repeated});
  operands.push_back({.node = node});
  for (std::uint32_t input : tape().node(node).inputs()) operands.push_back({.node = input});
}

const Shape* Plan::keep(Shape shape) { return &panel_shapes_.emplace_back(std::move(shape)); }

namespace {

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

}  // namespace

void Plan::add_group(const passes::Schedule::Step& step) {
  using Place = Operand::Place;
  const Tape& t = tape();
  const auto parts = schedule.parts_of(step);
  const Shape& rows = t.shape(t.node(parts.back().node).shape);
  const std::size_t positions = Shape(rows.extents().first(step.axes)).numel();
  const auto numel = [&](std::uint32_t node) { return t.shape(t.node(node).shape).numel(); };

  // What the group makes, and where in it.
  struct Value {
    std::size_t last_use, slot;
    bool stored, repeated;
  };
  std::map<std::uint32_t, Value> made;
  std::size_t largest = 1, alignment = 1;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const auto [node, repeated] = parts[k];
    made[node] = {k, 0, bool(memory.stored[step.begin + k]), repeated};
    const auto look = [&](std::uint32_t operand) {
      largest = std::max(largest, numel(operand));
      // Panels of masks begin at whole bytes.
      if (t.node(operand).dtype == DType::mask && numel(operand) % positions == 0) {
        alignment = std::max(alignment, 8 / std::gcd(numel(operand) / positions, std::size_t{8}));
      }
    };
    look(node);
    for (std::uint32_t input : t.node(node).inputs()) {
      look(input);
      if (const auto at = made.find(home(input)); at != made.end()) at->second.last_use = k;
    }
  }
  // A value that repeats is made before all panels, unless it follows from what the group makes.
  for (const auto& [node, repeated] : parts) {
    Value& value = made[node];
    for (std::uint32_t input : t.node(node).inputs()) {
      if (repeated && made.contains(home(input))) value.repeated = false;
    }
    if (value.repeated) value.repeated = t.node(node).op->repeats(t.call(node)) >= step.axes;
  }

  const std::size_t per_position = (largest + positions - 1) / positions;
  std::size_t panel = std::max<std::size_t>(1, kPanelElements / std::max<std::size_t>(1, per_position));
  panel = std::min((panel + alignment - 1) / alignment * alignment, positions);
  const std::size_t tail = positions % panel == 0 ? panel : positions % panel;
  const std::size_t panels_at_once = std::max<std::size_t>(1, kGrainElements / (panel * per_position + 1));

  std::size_t slot_bytes = kVector;
  for (const auto& [node, value] : made) {
    slot_bytes =
        std::max(slot_bytes, in_vectors(byte_size(t.node(node).dtype, numel(node) / positions * panel)));
  }
  Slots slots;
  for (const auto& part : parts) {  // first, for they are there before all others
    Value& value = made[part.node];
    if (!value.repeated) continue;
    value.slot = slots.take();
    value.last_use = parts.size();
  }
  const auto finished = [&](std::size_t k, std::uint32_t node) {
    const auto at = made.find(home(node));
    if (at == made.end() || at->second.stored || at->second.last_use != k) return;
    slots.give(at->second.slot);
    at->second.last_use = parts.size();  // given back once
  };

  const auto begin = static_cast<std::uint32_t>(kernels.size());
  const auto locate = [&](Operand& operand, bool repeated) {
    const auto at = made.find(home(operand.node));
    operand.per_position = numel(operand.node) / positions;
    if (at != made.end() && !at->second.stored) {
      operand.place = Place::panel;
      operand.offset = at->second.slot * slot_bytes;
    } else {
      operand.place = repeated ? Place::whole : Place::cut;
    }
    const Shape& whole = t.shape(t.node(operand.node).shape);
    if (operand.place == Place::whole) {
      operand.panel = operand.last = &whole;
    } else if (whole.rank() >= step.axes) {
      operand.panel = keep(some_rows(whole, step.axes, panel));
      operand.last = tail == panel ? operand.panel : keep(some_rows(whole, step.axes, tail));
    }
  };
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const std::uint32_t node = parts[k].node;
    Value& value = made[node];
    const Op& op = *t.node(node).op;
    const auto inputs = t.node(node).inputs();
    // An elementwise kernel may write over an operand of the same size.
    const bool over = op.block != nullptr && std::ranges::all_of(inputs, [&](std::uint32_t input) {
                        return t.node(input).dtype == t.node(node).dtype;
                      });
    const std::size_t first = operands.size();
    add_kernel(kernels, node, value.repeated);
    for (std::size_t j = 0; j < inputs.size(); ++j) locate(operands[first + 1 + j], value.repeated);
    if (over) {
      for (std::uint32_t input : inputs) finished(k, input);
    }
    if (!value.stored && !value.repeated) value.slot = slots.take();
    locate(operands[first], false);
    for (std::uint32_t input : inputs) finished(k, input);
    finished(k, node);  // nobody reads it
  }
  scratch_bytes = std::max(scratch_bytes, slots.count() * slot_bytes);
  steps.push_back({.begin = begin,
                   .end = static_cast<std::uint32_t>(kernels.size()),
                   .positions = positions,
                   .panel = panel,
                   .grain = panel * panels_at_once});
}

Workspace* Plan::borrow() const {
  {
    const std::lock_guard lock(mutex_);
    if (!shelf_.empty()) {
      Workspace* workspace = shelf_.back().release();
      shelf_.pop_back();
      return workspace;
    }
    shelf_.reserve(++made_);
  }
  return new Workspace(*this);
}

void Plan::give_back(Workspace* workspace) const noexcept {
  workspace->forget();
  const std::lock_guard lock(mutex_);
  shelf_.emplace_back(workspace);
}

}  // namespace backdrop::running
