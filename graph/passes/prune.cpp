#include <backdrop/core/op.hpp>

#include "passes/passes.hpp"

namespace backdrop::passes {

Rewrite prune(const Tape& tape, std::span<const Var> roots) {
  std::vector<bool> live(tape.size(), false);
  for (Var root : roots) live[root.index()] = true;
  for (std::size_t i = tape.size(); i-- > 0;) {
    if (!live[i]) continue;
    for (std::uint32_t input : tape.node(i).inputs()) live[input] = true;
  }
  Rewrite out(tape);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (live[i]) out.copy(i);
  }
  return out;
}

}  // namespace backdrop::passes
