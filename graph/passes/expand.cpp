#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <string>

#include "passes/passes.hpp"

namespace backdrop::passes {

namespace {

bool runs(const Op& op) { return is_leaf(op) || op.has_kernel(); }

bool all_run(const Tape& tape) {
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (!runs(*tape.node(i).op)) return false;
  }
  return true;
}

Rewrite open_once(const Tape& tape) {
  Rewrite out(tape);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const Op& op = *tape.node(i).op;
    if (runs(op)) {
      out.copy(i);
    } else if (op.body != nullptr) {
      out.open(i);
    } else {
      throw GraphError(std::string(op.name) + ": has neither a kernel nor a body");
    }
  }
  return out;
}

}  // namespace

Rewrite expand(const Tape& tape) {
  Rewrite out = open_once(tape);
  while (!all_run(out.tape())) out = out.then(open_once(out.tape()));
  return out;
}

}  // namespace backdrop::passes
