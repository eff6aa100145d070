#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <string>

#include "passes/passes.hpp"

namespace backdrop::passes {

namespace {

bool all_have_kernels(const Tape& tape) {
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const Op& op = *tape.node(i).op;
    if (op.has_kernel() || is_leaf(op)) continue;
    if (op.is_composite()) return false;
    throw GraphError(std::string(op.name) + ": has neither a kernel nor a body");
  }
  return true;
}

}  // namespace

Rewrite expand(Rewrite recording) {
  while (!all_have_kernels(recording.tape())) {
    recording =
        recording.then(backdrop::expand(recording.tape(), [](const Op& op) { return !op.has_kernel(); }));
  }
  return recording;
}

}  // namespace backdrop::passes
