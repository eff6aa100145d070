#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/program.hpp>
#include <string>
#include <utility>

#include "passes/passes.hpp"
#include "running/plan.hpp"
#include "running/require_type.hpp"
#include "running/workspace.hpp"

namespace backdrop {

Outputs::Outputs(std::shared_ptr<const running::Plan> plan)
    : plan_(std::move(plan)), workspace_(plan_->borrow()) {}

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

std::size_t Outputs::size() const { return plan_->ends.outputs.size(); }

const Tensor& Outputs::operator[](std::size_t k) const {
  if (k < size()) return workspace_->output(k);
  throw ValueError("outputs: number " + std::to_string(k) + " was asked for, but the program has " +
                   std::to_string(size()) + ", counted from 0");
}

std::size_t Program::steps() const { return plan_->steps(); }
std::size_t Program::arena_bytes() const { return plan_->memory.bytes; }

Outputs Program::run(std::span<const Feed> feeds, const RunOptions& options) const {
  const running::Ends& ends = plan_->ends;
  if (ends.random && !ends.updates.empty() && !options.step) {
    throw GraphError(
        "run: random nodes and updates, but no .step; give the number of the run, or every run "
        "draws the same masks");
  }
  const bool watched = options.anomalies != Anomalies::ignore;
  Outputs out(watched && plan_->order == running::Plan::Order::grouped ? plan_->ungrouped() : plan_);
  running::Workspace& work = *out.workspace_;
  work.bind(feeds, options.threads);
  if (watched) {
    work.run_watched(options);
  } else {
    work.run(options.step.value_or(0));
  }
  work.publish();
  return out;
}

namespace {

std::vector<Var> checked_roots(const Tape& tape, const Targets& targets) {
  std::vector<Var> roots = targets.outputs;
  for (std::size_t k = 0; k < targets.updates.size(); ++k) {
    const Update& update = targets.updates[k];
    tape.check(update.next);
    running::require_type("compile: the update of variable '" + update.variable.name() + "'",
                          update.variable.dtype(), update.variable.shape(), update.next.dtype(),
                          update.next.shape());
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

Rewrite lower(const Tape& tape, std::span<const Var> roots, const Targets& targets) {
  Rewrite out = passes::expand(passes::prune(tape, roots));
  if (!targets.optimize) return out;
  out = passes::share(std::move(out));
  const auto now = [&] {
    std::vector<Var> wanted;
    wanted.reserve(roots.size());
    for (Var root : roots) wanted.push_back(out(root));
    return wanted;
  };
  std::vector<Var> wanted = now();
  const auto nexts = std::span(wanted).last(targets.updates.size());
  out = passes::fold_updates(std::move(out), nexts, wanted);
  wanted = now();
  out = passes::draw_late(std::move(out), wanted);
  wanted = now();
  return passes::multiply_and_add(std::move(out), wanted);
}

}  // namespace

Program compile(const Tape& tape, const Targets& targets) {
  using Order = running::Plan::Order;
  const std::vector<Var> roots = checked_roots(tape, targets);
  auto lowered = std::make_shared<const Rewrite>(lower(tape, roots, targets));
  running::Ends ends(*lowered, targets);
  const Order order = targets.optimize ? Order::grouped : Order::one_by_one;
  return Program(std::make_shared<const running::Plan>(std::move(lowered), std::move(ends), order));
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
