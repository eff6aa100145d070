#pragma once

#include <backdrop/graph/rewrite.hpp>
#include <cstddef>
#include <span>
#include <vector>

/// What compile does to a recording, one file each. All but the last make a recording with equal results.
namespace backdrop::passes {

/// Only what the roots need.
Rewrite prune(const Tape& tape, std::span<const Var> roots);
/// Composites that have no kernel are opened, until every node has one.
Rewrite expand(const Tape& tape);
/// Equal ops on equal inputs become one node. Of random ones without inputs only those with no again()
/// between them: what is computed again draws its masks again.
Rewrite share(const Tape& tape);

/// Where intermediate values lie in the one arena of a run.
struct MemoryPlan {
  static constexpr std::size_t kElsewhere = static_cast<std::size_t>(-1);
  std::vector<std::size_t> offset;  ///< in bytes; kElsewhere for leaves and results
  std::vector<std::uint32_t> home;  ///< the node whose bytes a node has: itself, or what it is a view of
  std::size_t bytes = 0;
};
/// Offsets by liveness: a slot serves again after its last use, and an elementwise op may write over an input
/// that dies there. `results` keep memory of their own.
MemoryPlan plan_memory(const Tape& tape, const std::vector<bool>& results);

/// Whether a node is computed once per workspace rather than in every run: it has no inputs and is not
/// random.
bool is_fixed(const Node& node);

}  // namespace backdrop::passes
