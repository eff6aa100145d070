#include "running/workspace.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <utility>

#include "anomalies.hpp"
#include "running/require_type.hpp"
#include "running/run_group.hpp"
#include "running/stream.hpp"

namespace backdrop::running {

namespace {

constexpr std::size_t kGrain = passes::Schedule::kGrain;

void* shifted(void* data, DType dtype, std::size_t elements) {
  return static_cast<std::byte*>(data) + byte_size(dtype, elements);
}

}  // namespace

Workspace::Workspace(const Plan& plan)
    : plan_(plan), arena_(plan.memory.bytes), states_(plan.state_bytes), data_(plan.tape().size()) {
  const Tape& tape = plan.tape();
  for (std::uint32_t i = 0; i < tape.size(); ++i) {
    data_[i] = nullptr;
    const std::uint32_t home = plan.home(i);
    const std::size_t offset = plan.memory.offset[home];
    if (offset != passes::MemoryPlan::kElsewhere) {
      data_[i] = arena_.data() + offset;
    } else if (home != i) {
      views_.push_back(i);
    } else if (const Node& node = tape.node(i); node.op == &constant_op) {
      data_[i] = const_cast<void*>(tape.constant_of(node).bytes());
    }
  }
  std::size_t most_inputs = kMaxInputs;
  for (const passes::Schedule::Part& part : plan.schedule.parts) {
    if (part.few == 0) most_inputs = std::max<std::size_t>(most_inputs, tape.node(part.node).arity);
  }
  operands_.resize(most_inputs);
  leaves_.resize(plan.ends.leaves.size());
  fed_.resize(plan.ends.leaves.size());
  results_.resize(plan.ends.results.size());
  spares_.resize(plan.ends.results.size());
  old_.resize(plan.ends.results.size());
  set_threads(1);
  for (std::uint32_t node : plan.memory.fixed) execute(node, 0);
}

Workspace::~Workspace() = default;

void Workspace::set_threads(int threads) {
  if (workers_ != nullptr && threads_asked_ == threads) return;
  auto workers = std::make_unique<Workers>(threads);
  scratch_ = LargeVector<std::byte>(plan_.scratch_bytes * static_cast<std::size_t>(workers->threads()));
  workers_ = std::move(workers);
  threads_asked_ = threads;
}

void Workspace::bind(std::span<const Feed> feeds, int threads) {
  bind_feeds(feeds);
  set_threads(threads);
  bind_leaves();
  bind_results();
  bind_views();
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
    if (!input.leaf) continue;
    if (fed_[*input.leaf]) throw GraphError("run: input '" + at->first + "' is fed twice");
    leaves_[*input.leaf] = feed.value;
    fed_[*input.leaf] = true;
  }
  for (const auto& [name, input] : plan_.ends.inputs) {
    if (input.leaf && !fed_[*input.leaf]) {
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
    data_[leaf] = const_cast<void*>(leaves_[k].bytes());
  }
}

void Workspace::bind_results() {
  for (std::size_t k = 0; k < plan_.ends.results.size(); ++k) {
    const std::uint32_t index = plan_.ends.results[k];
    const Node& node = plan_.tape().node(index);
    if (old_[k] != nullptr) {
      data_[index] = old_[k];
    } else if (node.op == &constant_op) {
      results_[k] = plan_.tape().constant_of(node);
    } else if (is_leaf(*node.op)) {
      results_[k] = leaves_[plan_.ends.leaf_of(index)];
    } else {
      const Shape& shape = plan_.tape().shape(node.shape);
      const auto fits = [&](const Tensor& t) {
        return t.unique() && t.dtype() == node.dtype && t.shape() == shape;
      };
      if (!fits(results_[k])) std::swap(results_[k], spares_[k]);
      if (!fits(results_[k])) results_[k] = Tensor::uninitialized(shape, node.dtype);
      data_[index] = results_[k].mutable_bytes();
    }
  }
}

void Workspace::bind_views() {
  for (std::uint32_t view : views_) data_[view] = data_[plan_.home(view)];
}

void Workspace::run(std::uint32_t run_step) {
  const passes::Schedule& schedule = plan_.schedule;
  std::size_t next = 0;
  for (std::size_t k = 0; k < schedule.groups.size(); ++k) {
    execute_parts(next, schedule.groups[k].begin, run_step);
    run_group(plan_.groups[k], {data_.data(), states_.data(), scratch_.data(), plan_.scratch_bytes},
              *workers_, run_step);
    next = schedule.groups[k].end;
  }
  execute_parts(next, schedule.parts.size(), run_step);
}

void Workspace::execute_parts(std::size_t begin, std::size_t end, std::uint32_t run_step) {
  const auto parts = std::span(plan_.schedule.parts).subspan(begin, end - begin);
  const Tape& tape = plan_.tape();
  void* const* const data = data_.data();
  for (const passes::Schedule::Part& part : parts) {
    if (part.few == 0) {
      execute(part.node, run_step);
      continue;
    }
    const Call call = tape.call(part.node);
    const auto inputs = call.node.inputs();
    const void* x[kMaxInputs];
    for (std::size_t k = 0; k < inputs.size(); ++k) x[k] = data[inputs[k]];
    call.node.op->block(Block{call, data[part.node], x, part.few, 0, run_step});
  }
}

void Workspace::execute(std::uint32_t node, std::uint32_t run_step) {
  const Call call = plan_.tape().call(node);
  const Op& op = *call.node.op;
  const auto inputs = call.node.inputs();
  const Array y = array(node);
  for (std::size_t k = 0; k < inputs.size(); ++k) operands_[k] = array(inputs[k]);
  if (op.block == nullptr) {
    op.eval(Eval{call, y, operands_.data(), *workers_, run_step});
    return;
  }
  const bool streams = byte_size(y.dtype, y.numel()) >= kStreamed;
  workers_->for_each(y.numel(), kGrain, [&](std::size_t begin, std::size_t end) {
    const void* x[kMaxInputs];
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      x[k] = shifted(operands_[k].data, operands_[k].dtype, begin);
    }
    op.block(Block{call, shifted(y.data, y.dtype, begin), x, end - begin, begin, run_step, streams});
  });
}

Array Workspace::array(std::uint32_t node) const {
  const Node& n = plan_.tape().node(node);
  return {data_[node], &plan_.tape().shape(n.shape), n.dtype};
}

// Nodes in order, so that what is reported came first.
void Workspace::run_watched(const RunOptions& options) {
  const Tape& tape = plan_.tape();
  const auto& parts = plan_.schedule.parts;
  const std::uint32_t run_step = options.step.value_or(0);
  std::size_t done = 0;
  for (std::uint32_t i = 0; i < tape.size(); ++i) {
    if (plan_.home(i) != i || data_[i] == nullptr) continue;  // a view, or needed by nobody
    const bool is_step = done < parts.size() && parts[done].node == i;
    if (is_step) {
      execute(i, run_step);
      ++done;
    }
    const Array y = array(i);
    const std::optional<std::size_t> at = first_anomaly(y, options.anomalies);
    if (!at) continue;
    Anomaly found = describe_anomaly(tape.call(i), y, *at, options);
    if (is_step) {
      // The kernel may have written over its operands: everything before it once more, which gives the same.
      execute_parts(0, done - 1, run_step);
      std::vector<Array> operands;
      for (std::uint32_t input : tape.node(i).inputs()) operands.push_back(array(input));
      describe_operands(found, tape.call(i), operands.data());
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
