#include <backdrop/core/node_copier.hpp>
#include <backdrop/core/op.hpp>
#include <cstring>

#include "refusals.hpp"

namespace backdrop {

namespace {

constexpr std::uint32_t kUnknownShape = 0xFFFFFFFF;
constexpr std::uint16_t kUnknownText = 0xFFFF;  // as a number of a file or scope it is looked up each time

}  // namespace

NodeCopier::NodeCopier(const Tape& from, Tape& to)
    : from_(&from),
      to_(&to),
      shapes_(from.shapes_.size(), kUnknownShape),
      files_(from.files_.size(), kUnknownText),
      scopes_(from.scopes_.size(), kUnknownText) {}

// What is asked of every node is inline.
inline std::uint32_t NodeCopier::shape_now(std::uint32_t old) {
  std::uint32_t& now = shapes_[old];
  if (now == kUnknownShape) [[unlikely]]
    now = to_->intern(from_->shape(old));
  return now;
}

inline std::uint16_t NodeCopier::file_now(std::uint16_t old) {
  std::uint16_t& now = files_[old];
  if (now == kUnknownText) [[unlikely]]
    now = to_->intern_file(from_->files_[old]);
  return now;
}

inline std::uint16_t NodeCopier::scope_now(std::uint16_t old) {
  std::uint16_t& now = scopes_[old];
  if (now == kUnknownText) [[unlikely]]
    now = to_->intern_scope(from_->scopes_[old]);
  return now;
}

inline Node& NodeCopier::begin(const Node& node) {
  if (to_->size() >= Tape::kMaxNodes) refusals::throw_full();
  const std::uint32_t shape = shape_now(node.shape);
  const std::uint16_t file = file_now(node.file), scope = scope_now(node.scope);
  Node& copy = to_->nodes_.next();
  copy = node;
  copy.named = false;
  copy.call = 0;
  copy.shape = shape;
  copy.file = file;
  copy.scope = scope;
  return copy;
}

Var NodeCopier::copy(std::size_t index, std::span<const Var> inputs) {
  const Node& node = from_->node(index);
  if (is_leaf(*node.op) || !has_same_inputs(node, inputs)) return to_->record_again(*from_, index, inputs);
  Node& copy = begin(node);
  const WordPool::Mark words = to_->words_.mark();
  try {
    to_->write_inputs(copy, inputs);
    if (node.attrs != nullptr) copy.attrs = attrs_now(node);
  } catch (...) {
    to_->words_.rewind(words);
    throw;
  }
  return to_->commit();
}

Var NodeCopier::copy_on_copies(std::size_t index, std::span<const std::uint32_t> now) {
  const Node& node = from_->node(index);
  if (node.arity > Node::kInline) {
    std::vector<Var> inputs;
    inputs.reserve(node.arity);
    for (std::uint32_t input : node.inputs()) inputs.push_back(to_->var(now[input]));
    return copy(index, inputs);
  }
  Node& copy = begin(node);
  for (std::size_t k = 0; k < node.arity; ++k) copy.in[k] = now[node.in[k]];
  if (node.attrs != nullptr) copy.attrs = attrs_now(node);
  return to_->commit();
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
