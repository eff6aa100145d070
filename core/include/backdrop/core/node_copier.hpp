#pragma once

#include <backdrop/core/tape.hpp>
#include <cstdint>
#include <span>
#include <vector>

namespace backdrop {

/// Copies nodes of one tape onto another. It remembers what the two call the same shape, file and scope:
/// where a node has inputs of the types it had, nothing is checked, inferred or searched again.
/// Meanwhile nodes may be appended to the old tape, but none dropped or given another place.
class NodeCopier {
 public:
  NodeCopier(const Tape& from, Tape& to);

  /// Appends node `index` with other inputs, as `Tape::record_again` would. A recording stays as it was if
  /// that throws.
  Var copy(std::size_t index, std::span<const Var> inputs);
  /// The same of a node that is no leaf, where the inputs `now[...]` are copies of the old ones.
  Var copy_on_copies(std::size_t index, std::span<const std::uint32_t> now) {
    const Node& node = old_node(index);
    if (node.arity > Node::kInline) [[unlikely]]
      return copy_on_many_copies(index, now);
    Node& copy = begin(node);
    for (std::size_t k = 0; k < node.arity; ++k) copy.in[k] = now[node.in[k]];
    if (node.attrs != nullptr) copy.attrs = attrs_now(node);
    return to_->commit(*node.op);
  }

 private:
  static constexpr std::uint32_t kUnknownShape = 0xFFFFFFFF;
  static constexpr std::uint16_t kUnknownText = 0xFFFF;  // looked up each time, if that is a number in use

  Var copy_on_many_copies(std::size_t index, std::span<const std::uint32_t> now);
  bool has_same_inputs(const Node& node, std::span<const Var> inputs);
  const Node& old_node(std::size_t index) {
    if (index >= known_) [[unlikely]]
      make_room();
    return from_->node(index);
  }
  void make_room();
  Node& begin(const Node& node) {
    if (to_->size() >= Tape::kMaxNodes) [[unlikely]]
      throw_full();
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
  std::uint32_t shape_now(std::uint32_t old) {
    if (shapes_[old] == kUnknownShape) [[unlikely]]
      find_shape(old);
    return shapes_[old];
  }
  std::uint16_t file_now(std::uint16_t old) {
    if (files_[old] == kUnknownText) [[unlikely]]
      find_file(old);
    return files_[old];
  }
  std::uint16_t scope_now(std::uint16_t old) {
    if (scopes_[old] == kUnknownText) [[unlikely]]
      find_scope(old);
    return scopes_[old];
  }
  void find_shape(std::uint32_t old);
  void find_file(std::uint16_t old);
  void find_scope(std::uint16_t old);
  [[noreturn]] static void throw_full();
  const std::uint64_t* attrs_now(const Node& node);

  const Tape* from_;
  Tape* to_;
  std::size_t known_ = 0;  // nodes of the old tape for whose shapes, files and scopes there is room
  std::vector<std::uint32_t> shapes_;  // of the old tape: its number on the new one
  std::vector<std::uint16_t> files_, scopes_;
};

}  // namespace backdrop
