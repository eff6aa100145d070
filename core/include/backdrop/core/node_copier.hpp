#pragma once

#include <backdrop/core/tape.hpp>
#include <cstdint>
#include <span>
#include <vector>

namespace backdrop {

/// Copies nodes of one tape onto another. It remembers what the two call the same shape, file and scope:
/// where a node has inputs of the types it had, nothing is checked, inferred or searched again.
class NodeCopier {
 public:
  NodeCopier(const Tape& from, Tape& to);

  /// Appends node `index` with other inputs, as `Tape::record_again` would. The same strong guarantee.
  Var copy(std::size_t index, std::span<const Var> inputs);
  /// The same of a node that is no leaf, where the inputs `now[...]` are copies of the old ones.
  Var copy_on_copies(std::size_t index, std::span<const std::uint32_t> now);

 private:
  bool has_same_inputs(const Node& node, std::span<const Var> inputs);
  Node& begin(const Node& node);
  const std::uint64_t* attrs_now(const Node& node);
  std::uint32_t shape_now(std::uint32_t old);
  std::uint16_t file_now(std::uint16_t old);
  std::uint16_t scope_now(std::uint16_t old);

  const Tape* from_;
  Tape* to_;
  std::vector<std::uint32_t> shapes_;  // of the old tape: its number on the new one
  std::vector<std::uint16_t> files_, scopes_;
};

}  // namespace backdrop
