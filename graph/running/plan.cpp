#include "running/plan.hpp"

#include <algorithm>
#include <unordered_map>

#include "running/workspace.hpp"

namespace backdrop::running {

Ends::Ends(const Rewrite& lowered, const Targets& targets) {
  const Tape& tape = lowered.tape();
  std::map<std::uint32_t, std::uint32_t> result_of;  // by node
  const auto add_result = [&](Var old) {
    const Var now = lowered(old);
    tape.check(now);  // a pass that lost it would otherwise give another node's value
    const std::uint32_t node = now.index();
    const auto [at, is_new] = result_of.try_emplace(node, static_cast<std::uint32_t>(results.size()));
    if (is_new) results.push_back(node);
    return at->second;
  };
  for (Var v : targets.outputs) outputs.push_back(add_result(v));
  for (const Update& u : targets.updates) updates.push_back({u.variable, add_result(u.next)});
  leaves = tape.leaves();
  std::unordered_map<const void*, std::uint32_t> leaf_of_variable;
  for (std::uint32_t leaf : leaves) {
    const Node& node = tape.node(leaf);
    if (node.op == &variable_op) leaf_of_variable.emplace(tape.variable_of(node).identity(), leaf);
  }
  for (Publish& update : updates) {
    const auto at = leaf_of_variable.find(update.variable.identity());
    if (at != leaf_of_variable.end()) update.leaf = at->second;
  }
  random = tape.first_op([](const Op& op) { return op.random; }) != nullptr;
  const Tape& recorded = lowered.from();
  for (std::uint32_t i : recorded.leaves()) {
    const Node& node = recorded.node(i);
    if (node.op != &input_op) continue;
    Input input{node.dtype, recorded.shape(node.shape), std::nullopt};
    if (const Var v = lowered.at(i)) input.leaf = leaf_of(v.index());
    inputs.emplace(recorded.name(i), std::move(input));
  }
}

std::uint32_t Ends::leaf_of(std::uint32_t node) const {
  return static_cast<std::uint32_t>(std::ranges::lower_bound(leaves, node) - leaves.begin());
}

Plan::Plan(std::shared_ptr<const Rewrite> lowered, Ends from_to, Order how)
    : recording(std::move(lowered)), ends(std::move(from_to)), order(how) {
  std::vector<bool> is_result(tape().size(), false);
  for (std::uint32_t node : ends.results) is_result[node] = !is_leaf(*tape().node(node).op);
  schedule =
      order == Order::grouped ? passes::group(tape(), is_result) : passes::one_by_one(tape(), is_result);
  memory = passes::plan_memory(tape(), schedule, is_result);
  find_updates_in_place();
  groups.reserve(schedule.groups.size());
  for (const passes::Schedule::Step& group : schedule.groups) {
    groups.push_back(lay_out(tape(), schedule, memory, group, panel_shapes_));
    scratch_bytes = std::max(scratch_bytes, groups.back().scratch_bytes);
    state_bytes = std::max(state_bytes, groups.back().state_bytes);
  }
}

Plan::~Plan() = default;

std::size_t Plan::steps() const {
  std::size_t count = 0;
  schedule.for_each_step([&](const passes::Schedule::Step&) { ++count; });
  return count;
}

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
  std::vector<bool> is_result(tape().size(), false);  // leaves among them
  for (std::uint32_t node : ends.results) is_result[node] = true;
  std::vector<passes::LeafUpdate> candidates;
  std::vector<std::uint32_t> results;
  for (const Ends::Publish& update : ends.updates) {
    if (update.leaf == Ends::Publish::kNone || uses[update.result] != 1) continue;
    if (is_result[update.leaf]) continue;  // the old value is asked for, too
    candidates.push_back({update.leaf, ends.results[update.result]});
    results.push_back(update.result);
  }
  const std::vector<bool> may = passes::updates_in_place(tape(), schedule, candidates);
  for (std::size_t k = 0; k < results.size(); ++k) in_place[results[k]] = may[k];
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
