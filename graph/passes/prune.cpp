#include <backdrop/core/op.hpp>

#include "passes/passes.hpp"

namespace backdrop::passes {

Rewrite prune(const Tape& tape, std::span<const Var> roots) {
  LargeVector<std::uint8_t> live(tape.size(), 0);
  for (Var root : roots) live[root.index()] = 1;
  for (std::size_t i = tape.size(); i-- > 0;) {
    if (live[i] == 0) continue;
    for (std::uint32_t input : tape.node(i).inputs()) live[input] = 1;
  }
  Rewrite out(tape);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (live[i] != 0) out.copy(i);
  }
  return out;
}

}  // namespace backdrop::passes
