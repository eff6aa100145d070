#include "uses.hpp"

namespace backdrop {

std::vector<std::uint32_t> uses(const Tape& tape, std::span<const Var> roots) {
  std::vector<std::uint32_t> out(tape.size(), 0);
  for (Var root : roots) ++out[root.index()];
  for (std::size_t i = 0; i < tape.size(); ++i) {
    for (std::uint32_t input : tape.node(i).inputs()) ++out[input];
  }
  return out;
}

}  // namespace backdrop
