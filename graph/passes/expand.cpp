#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <string>

#include "passes/passes.hpp"

namespace backdrop::passes {

Rewrite expand(Rewrite recording) {
  const auto lacks_kernel = [](const Op& op) { return !op.has_kernel() && !is_leaf(op); };
  while (const Op* const op = recording.tape().first_op(lacks_kernel)) {
    if (!op->is_composite()) throw GraphError(std::string(op->name) + ": has neither a kernel nor a body");
    recording = recording.then(backdrop::expand(recording.tape(), lacks_kernel));
  }
  return recording;
}

}  // namespace backdrop::passes
