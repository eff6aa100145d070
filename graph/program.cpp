#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/core/workers.hpp>
#include <backdrop/graph/program.hpp>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <utility>

#include "anomalies.hpp"
#include "passes/passes.hpp"

namespace backdrop {

namespace {

// One kernel call. Operands stand in the workspace's tables from `first`: the output, then the inputs.
struct Step {
  Call call;
  std::uint32_t first;
};

// Elementwise work is cut into pieces of this many elements: whole bytes of mask, whole vectors, and enough
// work to pay for handing it to a thread.
constexpr std::size_t kGrain = 16384;

void execute(const Step& step, const Array* arrays, const void* const* pointers, const Workers& workers,
             std::uint32_t run_step) {
  const Call& call = step.call;
  const Op& op = *call.node.op;
  const Array& y = arrays[step.first];
  if (op.block == nullptr) {
    op.eval(Eval{call, y, arrays + step.first + 1, workers, run_step});
    return;
  }
  const std::size_t count = y.numel();
  const void* const* x = pointers + step.first + 1;
  if (count <= kGrain) {
    op.block(Block{call, y.data, x, count, 0, run_step});
    return;
  }
  workers.for_each(count, kGrain, [&](std::size_t begin, std::size_t end) {
    const auto shifted = [begin](void* data, DType dtype) {
      return static_cast<void*>(static_cast<std::byte*>(data) + byte_size(dtype, begin));
    };
    const void* shifted_x[kMaxInputs];
    for (std::size_t k = 0; k < call.arity(); ++k) {
      const Array& input = arrays[step.first + 1 + k];
      shifted_x[k] = shifted(input.data, input.dtype);
    }
    op.block(Block{call, shifted(y.data, y.dtype), shifted_x, end - begin, begin, run_step});
  });
}

void require_type(const std::string& what, DType dtype, const Shape& shape, DType given_dtype,
                  const Shape& given_shape) {
  if (dtype != given_dtype) {
    throw DTypeError(what + " is " + to_string(given_dtype) + ", but must be " + to_string(dtype));
  }
  if (shape != given_shape) {
    throw ShapeError(what + " has shape " + to_string(given_shape) + ", but must have " + to_string(shape));
  }
}

}  // namespace

// Immutable but for the shelf of workspaces, one for each run under way at once.
struct Outputs::Plan {
  struct Input {
    DType dtype;
    Shape shape;
    std::optional<std::uint32_t> node;  // none: no target needs it
  };

  explicit Plan(Rewrite lowered) : recording(std::move(lowered)) {}

  const Tape& tape() const { return recording.tape(); }
  std::uint32_t home(std::size_t node) const { return memory.home[node]; }

  Workspace* borrow() const;
  void give_back(Workspace* workspace) const noexcept;

  Rewrite recording;
  passes::MemoryPlan memory;
  std::vector<Step> fixed, steps;  // once per workspace, and in every run
  std::size_t operand_count = 0;
  std::map<std::string, Input, std::less<>> inputs;
  std::vector<std::uint32_t> leaves;   // input and variable nodes
  std::vector<std::uint32_t> results;  // distinct nodes behind outputs and updates
  std::vector<std::uint32_t> outputs;  // as indices of results
  struct Publish {
    Variable variable;
    std::uint32_t result;
  };
  std::vector<Publish> updates;
  bool random = false;

  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Workspace>> shelf;
  mutable std::size_t made = 0;  // workspaces; the shelf has room for them all
};

// The memory of one run: an arena, and tables that say where every operand lies.
struct Outputs::Workspace {
  explicit Workspace(const Plan& plan);
  ~Workspace() { ::operator delete(arena, std::align_val_t(64)); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  void set_threads(int threads) {
    if (workers == nullptr || threads_asked != threads) workers = std::make_unique<Workers>(threads);
    threads_asked = threads;
  }
  void bind_feeds(const Plan& plan, std::span<const Feed> feeds);
  void bind_leaves(const Plan& plan);
  void bind_results(const Plan& plan);
  void run(const Plan& plan, std::size_t steps, std::uint32_t run_step) {
    for (std::size_t k = 0; k < steps; ++k) {
      execute(plan.steps[k], arrays.data(), pointers.data(), *workers, run_step);
    }
  }
  void run_watched(const Plan& plan, const RunOptions& options);
  void place(std::uint32_t node, void* data) {
    for (std::uint32_t operand : uses[node]) {
      arrays[operand].data = data;
      pointers[operand] = data;
    }
  }
  void forget(const Plan& plan);

  void* arena;
  std::vector<Array> arrays;                     // of every step in turn: the output, then the inputs
  std::vector<const void*> pointers;             // the same, as elementwise kernels take them
  std::vector<std::vector<std::uint32_t>> uses;  // by node that lies outside the arena: its operands
  std::vector<Tensor> leaves;                    // what each leaf is in this run
  std::vector<bool> fed;
  std::vector<std::uint32_t> leaf_of;   // node -> index of leaves
  std::vector<Tensor> results, spares;  // spares: what a Variable held before, memory for the next run
  std::unique_ptr<Workers> workers;
  int threads_asked = 0;
};

Outputs::Workspace::Workspace(const Plan& plan) {
  const Tape& tape = plan.tape();
  arena = ::operator new(std::max<std::size_t>(plan.memory.bytes, 64), std::align_val_t(64));
  arrays.resize(plan.operand_count);
  pointers.resize(plan.operand_count);
  uses.resize(tape.size());
  leaf_of.resize(tape.size());
  const auto bind = [&](std::uint32_t operand, std::uint32_t node) {
    const Node& n = tape.node(node);
    arrays[operand] = {nullptr, &tape.shape(n.shape), n.dtype};
    const std::uint32_t home = plan.home(node);
    const std::size_t offset = plan.memory.offset[home];
    if (offset == passes::MemoryPlan::kElsewhere) {
      uses[home].push_back(operand);
    } else {
      pointers[operand] = arrays[operand].data = static_cast<std::byte*>(arena) + offset;
    }
  };
  for (const auto* steps : {&plan.fixed, &plan.steps}) {
    for (const Step& step : *steps) {
      bind(step.first, step.call.y.index());
      for (std::uint32_t k = 0; k < step.call.arity(); ++k) {
        bind(step.first + 1 + k, step.call.node.inputs()[k]);
      }
    }
  }
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (tape.node(i).op == &constant_op) {
      place(static_cast<std::uint32_t>(i), const_cast<void*>(tape.constant_of(tape.node(i)).bytes()));
    }
  }
  leaves.resize(plan.leaves.size());
  fed.resize(plan.leaves.size());
  for (std::uint32_t k = 0; k < plan.leaves.size(); ++k) leaf_of[plan.leaves[k]] = k;
  results.resize(plan.results.size());
  spares.resize(plan.results.size());
  set_threads(1);
  for (const Step& step : plan.fixed) execute(step, arrays.data(), pointers.data(), *workers, 0);
}

void Outputs::Workspace::bind_feeds(const Plan& plan, std::span<const Feed> feeds) {
  std::fill(fed.begin(), fed.end(), false);
  for (const Feed& feed : feeds) {
    const auto at = plan.inputs.find(feed.name);
    if (at == plan.inputs.end()) {
      throw GraphError("run: feed '" + std::string(feed.name) + "' is no input of this recording");
    }
    const Plan::Input& input = at->second;
    if (input.dtype != feed.value.dtype() || input.shape != feed.value.shape()) {  // else no text is made
      require_type("run: feed '" + at->first + "'", input.dtype, input.shape, feed.value.dtype(),
                   feed.value.shape());
    }
    if (!input.node) continue;
    const std::uint32_t leaf = leaf_of[*input.node];
    if (fed[leaf]) throw GraphError("run: input '" + at->first + "' is fed twice");
    leaves[leaf] = feed.value;
    fed[leaf] = true;
  }
  for (const auto& [name, input] : plan.inputs) {
    if (input.node && !fed[leaf_of[*input.node]]) {
      throw GraphError("run: input '" + name + "' (" + to_string(input.dtype) + " " + to_string(input.shape) +
                       ") is not fed; pass {\"" + name + "\", tensor}");
    }
  }
}

void Outputs::Workspace::bind_leaves(const Plan& plan) {
  for (std::uint32_t k = 0; k < plan.leaves.size(); ++k) {
    const Node& node = plan.tape().node(plan.leaves[k]);
    if (node.op == &variable_op) leaves[k] = plan.tape().variable_of(node).value();
    place(plan.leaves[k], const_cast<void*>(leaves[k].bytes()));
  }
}

void Outputs::Workspace::bind_results(const Plan& plan) {
  for (std::size_t k = 0; k < plan.results.size(); ++k) {
    const std::uint32_t index = plan.results[k];
    const Node& node = plan.tape().node(index);
    if (node.op == &constant_op) {
      results[k] = plan.tape().constant_of(node);
    } else if (is_leaf(*node.op)) {
      results[k] = leaves[leaf_of[index]];
    } else {
      const Shape& shape = plan.tape().shape(node.shape);
      const auto fits = [&](const Tensor& t) {
        return t.unique() && t.dtype() == node.dtype && t.shape() == shape;
      };
      if (!fits(results[k])) std::swap(results[k], spares[k]);
      if (!fits(results[k])) results[k] = Tensor::uninitialized(shape, node.dtype);
      place(index, results[k].mutable_bytes());
    }
  }
}

// Nodes in order, so that what is reported came first.
void Outputs::Workspace::run_watched(const Plan& plan, const RunOptions& options) {
  const Tape& tape = plan.tape();
  std::size_t done = 0, fixed = 0;
  for (std::uint32_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    Array y{nullptr, &tape.shape(node.shape), node.dtype};
    const bool is_step = done < plan.steps.size() && plan.steps[done].call.y.index() == i;
    if (node.op == &constant_op) {
      y.data = const_cast<void*>(tape.constant_of(node).bytes());
    } else if (is_leaf(*node.op)) {
      y.data = const_cast<void*>(leaves[leaf_of[i]].bytes());
    } else if (is_step) {
      const Step& step = plan.steps[done++];
      execute(step, arrays.data(), pointers.data(), *workers, options.step.value_or(0));
      y = arrays[step.first];
    } else if (fixed < plan.fixed.size() && plan.fixed[fixed].call.y.index() == i) {
      y = arrays[plan.fixed[fixed++].first];
    } else {
      continue;  // a view
    }
    const std::optional<std::size_t> at = first_anomaly(y, options.anomalies);
    if (!at) continue;
    Anomaly found = describe_anomaly(tape.call(i), y, *at, options);
    if (is_step) {
      // The kernel may have written over its operands: everything before it once more, which gives the same.
      run(plan, done - 1, options.step.value_or(0));
      describe_operands(found, tape.call(i), &arrays[plan.steps[done - 1].first + 1]);
    }
    throw NonFiniteError(std::move(found));
  }
}

void Outputs::Workspace::forget(const Plan& plan) {
  static const Tensor kNothing;
  std::fill(leaves.begin(), leaves.end(), kNothing);
  for (std::size_t k = 0; k < plan.results.size(); ++k) {
    if (is_leaf(*plan.tape().node(plan.results[k]).op)) results[k] = kNothing;
  }
}

Outputs::Workspace* Outputs::Plan::borrow() const {
  {
    const std::lock_guard lock(mutex);
    if (!shelf.empty()) {
      Workspace* workspace = shelf.back().release();
      shelf.pop_back();
      return workspace;
    }
    shelf.reserve(++made);
  }
  return new Workspace(*this);
}

void Outputs::Plan::give_back(Workspace* workspace) const noexcept {
  workspace->forget(*this);
  const std::lock_guard lock(mutex);
  shelf.emplace_back(workspace);
}

Outputs::Outputs(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)), workspace_(plan_->borrow()) {}

Outputs::Outputs(Outputs&& other) noexcept
    : plan_(std::move(other.plan_)), workspace_(std::exchange(other.workspace_, nullptr)) {}

Outputs& Outputs::operator=(Outputs&& other) noexcept {
  std::swap(plan_, other.plan_);
  std::swap(workspace_, other.workspace_);
  return *this;
}

Outputs::~Outputs() {
  if (workspace_ != nullptr) plan_->give_back(workspace_);
}

std::size_t Outputs::size() const { return plan_->outputs.size(); }

const Tensor& Outputs::operator[](std::size_t k) const { return workspace_->results[plan_->outputs.at(k)]; }

std::size_t Program::steps() const { return plan_->steps.size(); }
std::size_t Program::arena_bytes() const { return plan_->memory.bytes; }

Outputs Program::run(std::span<const Feed> feeds, const RunOptions& options) const {
  const Plan& plan = *plan_;
  if (plan.random && !plan.updates.empty() && !options.step) {
    throw GraphError(
        "run: random nodes and updates, but no .step; give the number of the run, or every run "
        "draws the same masks");
  }
  Outputs out(plan_);
  Outputs::Workspace& work = *out.workspace_;
  work.bind_feeds(plan, feeds);
  work.set_threads(options.threads);
  work.bind_leaves(plan);
  work.bind_results(plan);
  if (options.anomalies == Anomalies::ignore) {
    work.run(plan, plan.steps.size(), options.step.value_or(0));
  } else {
    work.run_watched(plan, options);
  }
  for (const Plan::Publish& update : plan.updates) {
    Tensor value = work.results[update.result];
    Variable(update.variable).swap(value);
    std::swap(work.spares[update.result], value);
  }
  return out;
}

namespace {

std::vector<Var> checked_roots(const Tape& tape, const Targets& targets) {
  std::vector<Var> roots = targets.outputs;
  for (std::size_t k = 0; k < targets.updates.size(); ++k) {
    const Update& update = targets.updates[k];
    tape.check(update.next);
    require_type("compile: the update of variable '" + update.variable.name() + "'", update.variable.dtype(),
                 update.variable.shape(), update.next.dtype(), update.next.shape());
    roots.push_back(update.next);
  }
  for (Var root : roots) tape.check(root);
  std::vector<const void*> variables;
  for (const Update& update : targets.updates) variables.push_back(update.variable.identity());
  std::sort(variables.begin(), variables.end());
  if (std::adjacent_find(variables.begin(), variables.end()) != variables.end()) {
    throw GraphError("compile: a Variable is updated twice; add the updates up first");
  }
  return roots;
}

Rewrite lower(const Tape& tape, std::span<const Var> roots, bool optimize) {
  Rewrite out = passes::prune(tape, roots);
  out = out.then(passes::expand(out.tape()));
  if (optimize) out = out.then(passes::share(out.tape()));
  return out;
}

}  // namespace

Program compile(const Tape& tape, const Targets& targets) {
  const std::vector<Var> roots = checked_roots(tape, targets);
  auto plan = std::make_shared<Outputs::Plan>(lower(tape, roots, targets.optimize));
  const Tape& lowered = plan->tape();

  std::vector<std::uint32_t> result_of(lowered.size(), 0xFFFFFFFF);
  const auto add_result = [&](Var old) {
    const std::uint32_t node = plan->recording(old).index();
    if (result_of[node] == 0xFFFFFFFF) {
      result_of[node] = static_cast<std::uint32_t>(plan->results.size());
      plan->results.push_back(node);
    }
    return result_of[node];
  };
  for (Var v : targets.outputs) plan->outputs.push_back(add_result(v));
  for (const Update& u : targets.updates) plan->updates.push_back({u.variable, add_result(u.next)});

  std::vector<bool> results(lowered.size(), false);
  for (std::uint32_t node : plan->results) results[node] = !is_leaf(*lowered.node(node).op);
  plan->memory = passes::plan_memory(lowered, results);

  for (std::size_t i = 0; i < lowered.size(); ++i) {
    const Node& node = lowered.node(i);
    if (node.op == &input_op || node.op == &variable_op)
      plan->leaves.push_back(static_cast<std::uint32_t>(i));
    if (is_leaf(*node.op) || plan->home(i) != i) continue;
    auto& steps = passes::is_fixed(node) && !results[i] ? plan->fixed : plan->steps;
    steps.push_back({lowered.call(i), static_cast<std::uint32_t>(plan->operand_count)});
    plan->operand_count += node.arity + std::size_t{1};
    plan->random = plan->random || node.op->random;
  }
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    if (node.op != &input_op) continue;
    Outputs::Plan::Input input{node.dtype, tape.shape(node.shape), std::nullopt};
    if (const Var v = plan->recording.at(i)) input.node = v.index();
    plan->inputs.emplace(tape.name(i), std::move(input));
  }
  return Program(std::move(plan));
}

Tensor value(Var v, const ValueOptions& options) { return value({v}, options)[0]; }

std::vector<Tensor> value(std::span<const Var> vars, const ValueOptions& options) {
  if (vars.empty()) return {};
  const Program program = compile(vars[0].tape(), {.outputs = {vars.begin(), vars.end()}});
  const Outputs outputs = program.run(
      options.feeds, {.step = options.step, .threads = options.threads, .anomalies = options.anomalies});
  std::vector<Tensor> out;
  for (std::size_t k = 0; k < outputs.size(); ++k) out.push_back(outputs[k]);
  return out;
}

}  // namespace backdrop
