#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <string>

#include "passes/passes.hpp"

namespace backdrop::passes {

Rewrite expand(const Tape& tape) {
  Rewrite out = backdrop::expand(tape, [](const Op& op) { return !op.has_kernel(); });
  for (std::size_t i = 0; i < out.tape().size(); ++i) {
    const Op& op = *out.tape().node(i).op;
    if (!is_leaf(op) && !op.has_kernel()) {
      throw GraphError(std::string(op.name) + ": has neither a kernel nor a body");
    }
  }
  return out;
}

}  // namespace backdrop::passes
