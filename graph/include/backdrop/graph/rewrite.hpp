#pragma once

#include <algorithm>
#include <backdrop/core/large_vector.hpp>
#include <backdrop/core/node_copier.hpp>
#include <backdrop/core/tape.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace backdrop {

/// A recording made from another one, and where the nodes of that one went.
class Rewrite {
 public:
  explicit Rewrite(const Tape& from);

  Tape& tape() { return *tape_; }
  const Tape& tape() const { return *tape_; }
  const Tape& from() const { return *from_; }
  /// The node that stands for `old` now, a null Var if none does. Throws TapeError for a Var of another tape.
  Var operator()(Var old) const {
    from_->check(old);
    return at(old.index());
  }
  Var at(std::size_t index) const { return to_[index] == kNone ? Var{} : tape_->var(to_[index]); }
  void map(std::size_t index, Var v) {
    to_[index] = v ? v.index() : kNone;
    only_copies_ = false;
  }

  /// Maps node `index` to `v`, recorded just now in its place: line, scope and name come with it.
  void stand_in(std::size_t index, Var v);
  /// Records node `index` as it was, on the inputs it has now; its name and the call it is part of come too.
  Var copy(std::size_t index) {
    const Node& node = from_->node(index);
    const Var v = is_on_copies(node) ? copier_.copy_on_copies(index, to_) : copy_on_others(index);
    if (node.named || node.call != 0) [[unlikely]]
      copy_origin(node, index, v);
    to_[index] = v.index();
    return v;
  }
  /// Records the body of composite node `index` on the inputs it has now, stamped with the call, and maps the
  /// node to the result.
  Var open(std::size_t index);
  /// Records the composite that was opened as `call`, on the inputs it has now, and maps node `result` to it.
  Var close(std::uint32_t call, std::size_t result);
  /// This rewrite followed by one of its tape.
  Rewrite then(Rewrite next) const;

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  bool is_on_copies(const Node& node) const {
    const std::span<const std::uint32_t> old = node.inputs();
    return only_copies_ && !old.empty() &&
           std::ranges::none_of(old, [&](std::uint32_t input) { return to_[input] == kNone; });
  }
  Var copy_on_others(std::size_t index);
  void copy_origin(const Node& node, std::size_t index, Var v);
  std::vector<Var> inputs_now(const Node& node) const;
  std::uint32_t call_now(std::uint32_t old);

  const Tape* from_;
  std::unique_ptr<Tape> tape_;
  NodeCopier copier_;
  LargeVector<std::uint32_t> to_;
  bool only_copies_ = true;  // nothing else stands for an old node
  std::vector<std::uint32_t> call_to_;
};

/// Opens every composite that `which` chooses (all of them by default) into its body, and those in the body,
/// until none is left. The nodes are stamped with the call they came from. Throws GraphError when bodies lie
/// more than 16 deep in one another: an op that contains itself.
Rewrite expand(const Tape& tape, bool (*which)(const Op&) = nullptr);

struct FuseOptions {
  /// Also folds (x * mask) / (1-p) and x * (cast(mask) / (1-p)), which differ from dropout in last bits, or
  /// in the sign of a dropped unit's zero and where x is not finite.
  bool relaxed = false;
};
/// Folds bodies back into the composite they came from, where they are intact and nothing else uses their
/// inner nodes: fuse(expand(t)) is t again. A hand-written scale(mul(x, mask), s) becomes dropout when some p
/// has keep_scale(p) == s; of several, the one with the shortest decimal.
Rewrite fuse(const Tape& tape, const FuseOptions& options = {});

/// The recording for inference: every dropout is the identity, and masks that nothing else uses are gone.
/// Nothing is scaled: dropout already divided by 1-p in training. Other ops of the family become what they
/// say (Op::inference): the identity too, or their mean for zoneout and drop_path without scale_by_keep.
/// Dropout written by hand, as fuse knows it, is found where its mask is made of random numbers, and constant
/// ones that they are compared with; a mask that is given, fed or constant, or follows from data, also in
/// part, may mean padding, and stays.
Rewrite without_dropout(const Tape& tape);

/// Whether two recordings are the same node by node: ops, inputs, attributes, types, names, places, constants
/// bit by bit, and Variables by name, type and value.
bool same_recording(const Tape& a, const Tape& b);

}  // namespace backdrop
