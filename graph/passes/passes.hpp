#pragma once

#include <backdrop/core/large_vector.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <cstddef>
#include <span>
#include <vector>

/// What compile does to a recording, one file each: first recordings with equal results, then when and where
/// it is computed.
namespace backdrop::passes {

/// Only what the roots need.
Rewrite prune(const Tape& tape, std::span<const Var> roots);
/// What follows rewrites a recording further, and gives it back as it is when nothing is to be done: then
/// nothing is copied.
///
/// Composites that have no kernel are opened, until every node has one.
Rewrite expand(Rewrite recording);
/// Equal ops on equal inputs become one node. Of random ones without inputs only those with no again()
/// between them: what is computed again draws its masks again.
Rewrite share(Rewrite recording);

/// Of these nodes of the recording, next values of Variables, the steps of gradient descent become products
/// that are added to the old value. (Rounded otherwise: add_product's tolerance.) A product that is
/// itself a root stays.
Rewrite fold_updates(Rewrite recording, std::span<const Var> nexts, std::span<const Var> roots);

/// Masks that only dropout of the same p uses are drawn as they are used, and never stored: dropout(x, p,
/// dropout_mask) becomes drawn_dropout, unless more than two nodes use the mask. The roots are asked for, and
/// stay.
Rewrite draw_late(Rewrite recording, std::span<const Var> roots);

/// A product that is only added to something becomes one op with the sum, multiply_add, with the same bits;
/// but not where that would keep its factors for long.
Rewrite multiply_and_add(Rewrite recording, std::span<const Var> roots);

/// What a run does, in order.
struct Schedule {
  struct Part {
    std::uint32_t node;
    /// Its elements, where a kernel works element by element on all of them at once; otherwise 0.
    std::uint16_t few = 0;
    bool repeated = false;  ///< for its group alone
  };
  /// Elementwise work is cut into pieces of this many elements: whole bytes of mask, whole vectors, and
  /// enough work to pay for handing it to a thread.
  static constexpr std::size_t kGrain = 16384;
  static_assert(kGrain <= 0xFFFF, "few holds as many");
  /// parts[begin, end): one by itself; or with `axes` > 0 a group, which runs panel by panel: some positions
  /// of its leading axes at a time.
  struct Step {
    std::uint32_t begin, end;
    std::size_t axes;
  };
  LargeVector<Part> parts;
  std::vector<Step> groups;          ///< in order; all other parts are steps by themselves
  LargeVector<std::uint32_t> home;   ///< the node whose bytes a node has: itself, or what it is a view of
  std::vector<std::uint32_t> fixed;  ///< nodes that are computed once per workspace if a step needs them

  std::span<const Part> parts_of(const Step& step) const {
    return std::span(parts).subspan(step.begin, step.end - step.begin);
  }
  /// Calls f(step) for each step in order.
  template <class F>
  void for_each_step(F&& f) const {
    std::uint32_t next = 0;
    const auto until = [&](std::size_t end) {
      for (; next < end; ++next) f(Step{next, next + 1, 0});
    };
    for (const Step& group : groups) {
      until(group.begin);
      f(group);
      next = group.end;
    }
    until(parts.size());
  }
};
/// Every node by itself.
Schedule one_by_one(const Tape& tape, const std::vector<bool>& results);
/// Nodes that work element by element or row by row stand in groups, so that values between them never leave
/// the cache.
Schedule group(const Tape& tape, const std::vector<bool>& results);

/// Where intermediate values lie in the one arena of a run.
struct MemoryPlan {
  static constexpr std::size_t kElsewhere = static_cast<std::size_t>(-1);
  LargeVector<std::size_t>
      offset;  ///< in bytes by node; kElsewhere for leaves, results, and what no step stores
  std::vector<std::uint32_t> fixed;  ///< nodes to be computed once per workspace
  std::vector<bool> stored;          ///< by part of a group: whether other steps need the value
  std::size_t bytes = 0;
};
/// Offsets by liveness: a slot serves again after its last use, and an op may write over an input that dies
/// there, if it works element by element or says so. `results` keep memory of their own.
MemoryPlan plan_memory(const Tape& tape, const Schedule& schedule, const std::vector<bool>& results);

struct LeafUpdate {
  std::uint32_t leaf, next;  ///< a Variable's node, and the one whose value it receives
};
/// Of each update, whether a run may write it where the old value lies: nobody reads that later, and nothing
/// that may throw comes later.
std::vector<bool> updates_in_place(const Tape& tape, const Schedule& schedule,
                                   std::span<const LeafUpdate> updates);

/// Whether a node is computed once per workspace rather than in every run: it has no inputs and is not
/// random.
inline bool is_fixed(const Node& node) { return node.arity == 0 && !is_leaf(*node.op) && !node.op->random; }
/// Whether a node may wait for those who need it, and be written anew for each: it repeats one input, or
/// none.
inline bool repeats(const Node& node) { return node.op->repeats != nullptr && node.arity <= 1; }
/// How many axes a node folds; 0: it is no fold, or must have its operand whole.
inline std::size_t folded_axes(const Call& c) {
  const Folding* const folding = c.node.op->folding;
  return folding == nullptr ? 0 : folding->axes(c);
}
/// How many leading axes a node that repeats its input has in common with it, and makes of the same rows.
inline std::size_t axes_in_common(const Call& c) {
  return c.arity() > 0 && c.node.op->by_panels ? c.node.op->leading(c, 0) : 0;
}

}  // namespace backdrop::passes
