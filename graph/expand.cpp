#include <backdrop/core/op.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <utility>

namespace backdrop {

namespace {

using Choice = bool (*)(const Op&);

bool opens(const Op& op, Choice which) { return op.is_composite() && (which == nullptr || which(op)); }

bool any_opens(const Tape& tape, Choice which) {
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (opens(*tape.node(i).op, which)) return true;
  }
  return false;
}

Rewrite open_once(const Tape& tape, Choice which) {
  Rewrite out(tape);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (opens(*tape.node(i).op, which)) {
      out.open(i);
    } else {
      out.copy(i);
    }
  }
  return out;
}

}  // namespace

Rewrite expand(const Tape& tape, bool (*which)(const Op&)) {
  Rewrite out = open_once(tape, which);
  while (any_opens(out.tape(), which)) out = out.then(open_once(out.tape(), which));
  return out;
}

}  // namespace backdrop
