#include <algorithm>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <utility>

namespace backdrop {

Rewrite::Rewrite(const Tape& from)
    : from_(&from),
      tape_(std::make_unique<Tape>()),
      copier_(from, *tape_),
      to_(from.size(), kNone),
      call_to_(from.opened_count() + 1, 0) {}

std::vector<Var> Rewrite::inputs_now(const Node& node) const {
  std::vector<Var> inputs;
  inputs.reserve(node.arity);
  for (std::uint32_t input : node.inputs()) inputs.push_back(at(input));
  return inputs;
}

std::uint32_t Rewrite::call_now(std::uint32_t old) {
  // Outermost first: a call names the one it is part of.
  std::vector<std::uint32_t> chain;
  for (std::uint32_t call = old; call != 0 && call_to_[call] == 0; call = from_->opened(call).node.call) {
    chain.push_back(call);
  }
  for (; !chain.empty(); chain.pop_back()) {
    const Tape::OpenedCall& call = from_->opened(chain.back());
    const auto operands = call.node.inputs();
    // Without one of its operands here, what is left of the body is no composite any more.
    const bool all = std::all_of(operands.begin(), operands.end(), [&](auto k) { return to_[k] != kNone; });
    if (!all) continue;
    call_to_[chain.back()] =
        tape_->declare_opened(*from_, call.node, call.name, inputs_now(call.node), call_to_[call.node.call]);
  }
  return call_to_[old];
}

void Rewrite::copy_origin(const Node& node, std::size_t index, Var v) {
  if (node.named) tape_->set_name(v, from_->name(index));
  if (node.call == 0) return;
  if (const std::uint32_t whole = call_now(node.call); whole != 0) tape_->stamp(v, whole);
}

Var Rewrite::copy_on_others(std::size_t index) {
  const std::span<const std::uint32_t> old = from_->node(index).inputs();
  Var stack[kMaxInputs];
  std::vector<Var> heap;
  Var* inputs = stack;
  if (old.size() > kMaxInputs) {
    heap.resize(old.size());
    inputs = heap.data();
  }
  for (std::size_t k = 0; k < old.size(); ++k) inputs[k] = at(old[k]);
  return copier_.copy(index, {inputs, old.size()});
}

Var Rewrite::open(std::size_t index) {
  const Node& node = from_->node(index);
  const std::uint32_t outer = call_now(node.call);
  const std::uint32_t call = tape_->declare_opened(*from_, node, from_->name(index), inputs_now(node), outer);
  const Node& composite = tape_->opened(call).node;
  const std::size_t begin = tape_->size();
  Var y;
  {
    const Tape::Attribution credit(*tape_, composite);
    y = composite.op->body(Call{*tape_, composite, Var{}});
  }
  for (std::size_t k = begin; k < tape_->size(); ++k) tape_->stamp(tape_->var(k), call);
  map(index, y);
  return y;
}

Var Rewrite::close(std::uint32_t call, std::size_t result) {
  const Tape::OpenedCall& opened = from_->opened(call);
  const Node& node = opened.node;
  AttrValue attrs[kMaxAttrs];
  const std::size_t count = node.op->attr_count();
  for (std::size_t k = 0; k < count; ++k) attrs[k] = from_->attribute(node, k);
  const Var v = tape_->record(*node.op, inputs_now(node), {attrs, count}, Where{});
  tape_->set_place(v, *from_, node);
  if (!opened.name.empty()) tape_->set_name(v, opened.name);
  if (const std::uint32_t whole = call_now(node.call); whole != 0) tape_->stamp(v, whole);
  map(result, v);
  return v;
}

void Rewrite::stand_in(std::size_t index, Var v) {
  const Node& node = from_->node(index);
  tape_->set_place(v, *from_, node);
  if (node.named) tape_->set_name(v, from_->name(index));
  map(index, v);
}

Rewrite Rewrite::then(Rewrite next) const {
  LargeVector<std::uint32_t> to(to_.size(), kNone);
  for (std::size_t k = 0; k < to_.size(); ++k) {
    if (to_[k] != kNone) to[k] = next.to_[to_[k]];
  }
  next.from_ = from_;
  next.copier_ = NodeCopier(*from_, *next.tape_);
  next.to_ = std::move(to);
  next.only_copies_ = false;
  return next;
}

}  // namespace backdrop
