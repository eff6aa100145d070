#include "running/workspace.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <utility>

#include "anomalies.hpp"
#include "running/require_type.hpp"

namespace backdrop::running {

namespace {

constexpr auto kAligned = std::align_val_t(64);
constexpr std::uint32_t kNowhere = 0xFFFFFFFF;

// Elementwise work is cut into pieces of this many elements: whole bytes of mask, whole vectors, and enough
// work to pay for handing it to a thread.
constexpr std::size_t kGrain = 16384;

void* shifted(void* data, DType dtype, std::size_t elements) {
  return static_cast<std::byte*>(data) + byte_size(dtype, elements);
}

}  // namespace

Workspace::Workspace(const Plan& plan) : plan_(plan) {
  const Tape& tape = plan.tape();
  arena_ = ::operator new(std::max<std::size_t>(plan.memory.bytes, 64), kAligned);
  arrays_.resize(plan.operands.size());
  pointers_.resize(plan.operands.size());
  leaf_of_.resize(tape.size());
  uses_of_.assign(tape.size(), kNowhere);
  for (std::uint32_t i = 0; i < tape.size(); ++i) {
    if (is_leaf(*tape.node(i).op)) placed_outside(i);
  }
  for (std::uint32_t result : plan.ends.results) placed_outside(result);
  for (std::uint32_t k = 0; k < plan.operands.size(); ++k) {
    const Node& node = tape.node(plan.operands[k]);
    arrays_[k] = {nullptr, &tape.shape(node.shape), node.dtype};
    const std::uint32_t home = plan.home(plan.operands[k]);
    const std::size_t offset = plan.memory.offset[home];
    if (offset != passes::MemoryPlan::kElsewhere) {
      pointers_[k] = arrays_[k].data = static_cast<std::byte*>(arena_) + offset;
    } else if (uses_of_[home] != kNowhere) {  // else it never leaves its group
      uses_[uses_of_[home]].push_back(k);
    }
  }
  for (std::uint32_t i = 0; i < tape.size(); ++i) {
    if (tape.node(i).op == &constant_op) place(i, const_cast<void*>(tape.constant_of(tape.node(i)).bytes()));
  }
  leaves_.resize(plan.ends.leaves.size());
  fed_.resize(plan.ends.leaves.size());
  for (std::uint32_t k = 0; k < plan.ends.leaves.size(); ++k) leaf_of_[plan.ends.leaves[k]] = k;
  results_.resize(plan.ends.results.size());
  spares_.resize(plan.ends.results.size());
  old_.resize(plan.ends.results.size());
  set_threads(1);
  for (const Kernel& kernel : plan.fixed) execute(kernel, kernel.call.y.shape().numel(), 0);
}

void Workspace::placed_outside(std::uint32_t node) {
  if (uses_of_[node] != kNowhere) return;
  uses_of_[node] = static_cast<std::uint32_t>(uses_.size());
  uses_.emplace_back();
}

Workspace::~Workspace() {
  ::operator delete(arena_, kAligned);
  ::operator delete(scratch_, kAligned);
}

void Workspace::set_threads(int threads) {
  if (workers_ != nullptr && threads_asked_ == threads) return;
  workers_ = std::make_unique<Workers>(threads);
  threads_asked_ = threads;
  ::operator delete(std::exchange(scratch_, nullptr), kAligned);
  if (plan_.scratch_bytes == 0) return;
  const std::size_t bytes = plan_.scratch_bytes * static_cast<std::size_t>(workers_->threads());
  scratch_ = static_cast<std::byte*>(::operator new(bytes, kAligned));
}

void Workspace::place(std::uint32_t node, void* data) {
  for (std::uint32_t operand : uses_[uses_of_[node]]) {
    arrays_[operand].data = data;
    pointers_[operand] = data;
  }
}

void Workspace::bind(std::span<const Feed> feeds, int threads) {
  bind_feeds(feeds);
  set_threads(threads);
  bind_leaves();
  bind_results();
}

void Workspace::bind_feeds(std::span<const Feed> feeds) {
  std::fill(fed_.begin(), fed_.end(), false);
  for (const Feed& feed : feeds) {
    const auto at = plan_.ends.inputs.find(feed.name);
    if (at == plan_.ends.inputs.end()) {
      throw GraphError("run: feed '" + std::string(feed.name) + "' is no input of this recording");
    }
    const Ends::Input& input = at->second;
    if (input.dtype != feed.value.dtype() || input.shape != feed.value.shape()) {  // else no text is made
      require_type("run: feed '" + at->first + "'", input.dtype, input.shape, feed.value.dtype(),
                   feed.value.shape());
    }
    if (!input.node) continue;
    const std::uint32_t leaf = leaf_of_[*input.node];
    if (fed_[leaf]) throw GraphError("run: input '" + at->first + "' is fed twice");
    leaves_[leaf] = feed.value;
    fed_[leaf] = true;
  }
  for (const auto& [name, input] : plan_.ends.inputs) {
    if (input.node && !fed_[leaf_of_[*input.node]]) {
      throw GraphError("run: input '" + name + "' (" + to_string(input.dtype) + " " + to_string(input.shape) +
                       ") is not fed; pass {\"" + name + "\", tensor}");
    }
  }
}

void Workspace::bind_leaves() {
  // Asked before the leaves hold the values, too.
  for (const Ends::Publish& update : plan_.ends.updates) {
    const Tensor& value = update.variable.value();
    old_[update.result] =
        plan_.in_place[update.result] && value.unique() ? const_cast<void*>(value.bytes()) : nullptr;
  }
  for (std::uint32_t k = 0; k < plan_.ends.leaves.size(); ++k) {
    const std::uint32_t leaf = plan_.ends.leaves[k];
    const Node& node = plan_.tape().node(leaf);
    if (node.op == &variable_op) leaves_[k] = plan_.tape().variable_of(node).value();
    place(leaf, const_cast<void*>(leaves_[k].bytes()));
  }
}

void Workspace::bind_results() {
  for (std::size_t k = 0; k < plan_.ends.results.size(); ++k) {
    const std::uint32_t index = plan_.ends.results[k];
    const Node& node = plan_.tape().node(index);
    if (old_[k] != nullptr) {
      place(index, old_[k]);
    } else if (node.op == &constant_op) {
      results_[k] = plan_.tape().constant_of(node);
    } else if (is_leaf(*node.op)) {
      results_[k] = leaves_[leaf_of_[index]];
    } else {
      const Shape& shape = plan_.tape().shape(node.shape);
      const auto fits = [&](const Tensor& t) {
        return t.unique() && t.dtype() == node.dtype && t.shape() == shape;
      };
      if (!fits(results_[k])) std::swap(results_[k], spares_[k]);
      if (!fits(results_[k])) results_[k] = Tensor::uninitialized(shape, node.dtype);
      place(index, results_[k].mutable_bytes());
    }
  }
}

void Workspace::run_steps(std::size_t count, std::uint32_t run_step) {
  for (std::size_t k = 0; k < count; ++k) {
    const Step& step = plan_.steps[k];
    if (step.panel == 0) {
      execute(plan_.kernels[step.begin], step.positions, run_step);
    } else {
      execute_group(step, run_step);
    }
  }
}

void Workspace::execute(const Kernel& kernel, std::size_t count, std::uint32_t run_step) {
  const Call& call = kernel.call;
  const Op& op = *call.node.op;
  const Array* const arrays = arrays_.data() + kernel.first;
  const void* const* pointers = pointers_.data() + kernel.first;
  if (op.block == nullptr) {
    op.eval(Eval{call, arrays[0], arrays + 1, *workers_, run_step});
    return;
  }
  if (count <= kGrain) {
    op.block(Block{call, arrays[0].data, pointers + 1, count, 0, run_step});
    return;
  }
  workers_->for_each(count, kGrain, [&](std::size_t begin, std::size_t end) {
    const void* x[kMaxInputs];
    for (std::size_t k = 0; k < call.arity(); ++k) {
      x[k] = shifted(arrays[1 + k].data, arrays[1 + k].dtype, begin);
    }
    op.block(Block{call, shifted(arrays[0].data, arrays[0].dtype, begin), x, end - begin, begin, run_step});
  });
}

// Positions [first, first + count) of a group.
struct Workspace::Panel {
  std::size_t first, count;
  bool whole;  // as many as panels have, but for the last one
  std::byte* scratch;
};

void Workspace::execute_group(const Step& group, std::uint32_t run_step) {
  const auto kernels = std::span(plan_.kernels).subspan(group.begin, group.end - group.begin);
  workers_->for_each(group.positions, group.grain, [&](std::size_t begin, std::size_t end) {
    std::byte* const scratch = scratch_ + workers_->slot() * plan_.scratch_bytes;
    for (const Kernel& kernel : kernels) {
      if (kernel.repeated) execute_panel(kernel, {0, group.panel, true, scratch}, run_step);
    }
    for (std::size_t first = begin; first < end; first += group.panel) {
      const std::size_t count = std::min(group.panel, end - first);
      const Panel panel{first, count, count == group.panel, scratch};
      for (const Kernel& kernel : kernels) {
        if (!kernel.repeated) execute_panel(kernel, panel, run_step);
      }
    }
  });
}

void Workspace::execute_panel(const Kernel& kernel, const Panel& panel, std::uint32_t run_step) {
  using Place = Operand::Place;
  const Call& call = kernel.call;
  const Op& op = *call.node.op;
  const Operand* const operands = plan_.places.data() + kernel.places;
  const Array* const arrays = arrays_.data() + kernel.first;
  const std::size_t count = 1 + call.arity();
  void* data[1 + kMaxInputs];
  for (std::size_t k = 0; k < count; ++k) {
    const Operand& operand = operands[k];
    data[k] = operand.place == Place::panel ? panel.scratch + operand.offset
              : operand.place == Place::cut
                  ? shifted(arrays[k].data, arrays[k].dtype, panel.first * operand.per_position)
                  : arrays[k].data;
  }
  if (op.block != nullptr) {
    const std::size_t per_position = operands[0].per_position;
    op.block(
        Block{call, data[0], data + 1, panel.count * per_position, panel.first * per_position, run_step});
    return;
  }
  Array parts[1 + kMaxInputs];
  for (std::size_t k = 0; k < count; ++k) {
    parts[k] = {data[k], panel.whole ? operands[k].panel : operands[k].last, arrays[k].dtype};
  }
  op.eval(Eval{call, parts[0], parts + 1, alone_, run_step});
}

// Nodes in order, so that what is reported came first.
void Workspace::run_watched(const RunOptions& options) {
  const Tape& tape = plan_.tape();
  const std::uint32_t run_step = options.step.value_or(0);
  std::size_t done = 0, fixed = 0;
  for (std::uint32_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    Array y{nullptr, &tape.shape(node.shape), node.dtype};
    const bool is_step = done < plan_.steps.size() && plan_.kernels[done].call.y.index() == i;
    if (node.op == &constant_op) {
      y.data = const_cast<void*>(tape.constant_of(node).bytes());
    } else if (is_leaf(*node.op)) {
      y.data = const_cast<void*>(leaves_[leaf_of_[i]].bytes());
    } else if (is_step) {
      execute(plan_.kernels[done], plan_.steps[done].positions, run_step);
      y = arrays_[plan_.kernels[done++].first];
    } else if (fixed < plan_.fixed.size() && plan_.fixed[fixed].call.y.index() == i) {
      y = arrays_[plan_.fixed[fixed++].first];
    } else {
      continue;  // a view
    }
    const std::optional<std::size_t> at = first_anomaly(y, options.anomalies);
    if (!at) continue;
    Anomaly found = describe_anomaly(tape.call(i), y, *at, options);
    if (is_step) {
      // The kernel may have written over its operands: everything before it once more, which gives the same.
      run_steps(done - 1, run_step);
      describe_operands(found, tape.call(i), &arrays_[plan_.kernels[done - 1].first + 1]);
    }
    throw NonFiniteError(std::move(found));
  }
}

void Workspace::publish() {
  for (const Ends::Publish& update : plan_.ends.updates) {
    if (old_[update.result] != nullptr) continue;  // it is there
    Tensor value = results_[update.result];
    Variable(update.variable).swap(value);
    std::swap(spares_[update.result], value);
  }
}

void Workspace::forget() {
  static const Tensor kNothing;
  std::fill(leaves_.begin(), leaves_.end(), kNothing);
  for (std::size_t k = 0; k < plan_.ends.results.size(); ++k) {
    if (is_leaf(*plan_.tape().node(plan_.ends.results[k]).op)) results_[k] = kNothing;
  }
}

}  // namespace backdrop::running
