#include <backdrop/core/node_copier.hpp>
#include <backdrop/core/op.hpp>
#include <cstring>

#include "refusals.hpp"

namespace backdrop {

NodeCopier::NodeCopier(const Tape& from, Tape& to) : from_(&from), to_(&to) { make_room(); }

void NodeCopier::make_room() {
  shapes_.resize(from_->shapes_.size(), kUnknownShape);
  files_.resize(from_->files_.size(), kUnknownText);
  scopes_.resize(from_->scopes_.size(), kUnknownText);
  known_ = from_->size();
}

void NodeCopier::find_shape(std::uint32_t old) { shapes_[old] = to_->intern(from_->shape(old)); }
void NodeCopier::find_file(std::uint16_t old) { files_[old] = to_->intern_file(from_->files_[old]); }
void NodeCopier::find_scope(std::uint16_t old) { scopes_[old] = to_->intern_scope(from_->scopes_[old]); }
void NodeCopier::throw_full() { refusals::throw_full(); }

Var NodeCopier::copy(std::size_t index, std::span<const Var> inputs) {
  const Node& node = old_node(index);
  if (is_leaf(*node.op) || !has_same_inputs(node, inputs)) return to_->record_again(*from_, index, inputs);
  Node& copy = begin(node);
  const WordPool::Mark words = to_->words_.mark();
  try {
    to_->write_inputs(copy, inputs);
    if (node.attrs != nullptr) copy.attrs = attrs_now(node);
    return to_->commit(*node.op);
  } catch (...) {
    to_->words_.rewind(words);
    throw;
  }
}

Var NodeCopier::copy_on_many_copies(std::size_t index, std::span<const std::uint32_t> now) {
  const Node& node = from_->node(index);
  std::vector<Var> inputs;
  inputs.reserve(node.arity);
  for (std::uint32_t input : node.inputs()) inputs.push_back(to_->var(now[input]));
  return copy(index, inputs);
}

bool NodeCopier::has_same_inputs(const Node& node, std::span<const Var> inputs) {
  const std::span<const std::uint32_t> old = node.inputs();
  if (inputs.size() != old.size()) return false;
  for (std::size_t k = 0; k < old.size(); ++k) {
    if (!to_->is_current(inputs[k])) return false;
    const Node& was = from_->node(old[k]);
    const Node& is = to_->node(inputs[k].index());
    if (is.dtype != was.dtype || is.shape != shape_now(was.shape)) return false;
  }
  return true;
}

const std::uint64_t* NodeCopier::attrs_now(const Node& node) {
  const std::size_t count = node.op->attr_count();
  std::uint64_t* slots = to_->words_.take(count);
  for (std::size_t k = 0; k < count; ++k) {
    slots[k] = node.attrs[k];
    const AttrKind kind = node.op->attrs[k].kind;
    if (kind != AttrKind::ints && kind != AttrKind::key) continue;
    const auto* words = std::bit_cast<const std::uint64_t*>(node.attrs[k]);
    const std::size_t n = kind == AttrKind::key ? 2 : static_cast<std::size_t>(words[0]) + 1;
    std::uint64_t* now = to_->words_.take(n);
    std::memcpy(now, words, n * sizeof *now);
    slots[k] = std::bit_cast<std::uint64_t>(now);
  }
  return slots;
}

}  // namespace backdrop
