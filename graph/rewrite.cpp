#include <backdrop/core/op.hpp>
#include <backdrop/graph/rewrite.hpp>

namespace backdrop {

Var Rewrite::copy(std::size_t index) {
  const Node& node = from_->node(index);
  const std::span<const std::uint32_t> old = node.inputs();
  Var stack[kMaxInputs];
  std::vector<Var> heap;
  Var* inputs = stack;
  if (old.size() > kMaxInputs) {
    heap.resize(old.size());
    inputs = heap.data();
  }
  for (std::size_t k = 0; k < old.size(); ++k) inputs[k] = to_[old[k]];
  const Var v = tape_->record_again(*from_, index, {inputs, old.size()});
  if (const std::string_view name = from_->name(index); !name.empty()) tape_->set_name(v, name);
  return to_[index] = v;
}

Rewrite Rewrite::then(Rewrite next) const {
  std::vector<Var> to(to_.size());
  for (std::size_t k = 0; k < to_.size(); ++k) {
    if (to_[k]) to[k] = next.to_[to_[k].index()];
  }
  next.from_ = from_;
  next.to_ = std::move(to);
  return next;
}

Var Rewrite::open(std::size_t index) {
  const Node& node = from_->node(index);
  // The body sees the composite as it would stand on the new tape, where it is never recorded.
  std::vector<std::uint32_t> inputs;
  for (std::uint32_t old : node.inputs()) inputs.push_back(to_[old].index());
  Node there = node;
  if (inputs.size() <= Node::kInline) {
    std::copy(inputs.begin(), inputs.end(), there.in.begin());
  } else {
    const std::uint32_t* many = inputs.data();
    std::memcpy(there.in.data(), &many, sizeof many);
  }
  const std::size_t begin = tape_->size();
  const Var y = node.op->body(Call{*tape_, there, Var{}});
  const Where where = from_->where(node);
  for (std::size_t k = begin; k < tape_->size(); ++k) {
    tape_->set_place(tape_->var(k), where.file, where.line, from_->scope_of(node));
  }
  return to_[index] = y;
}

}  // namespace backdrop
