#include <backdrop/core/op.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <utility>

#include "opened_body.hpp"

namespace backdrop {

namespace {

using Choice = bool (*)(const Op&);

bool opens(const Op& op, Choice which) { return op.is_composite() && (which == nullptr || which(op)); }

// An op that opens, if there is one.
const Op* first_to_open(const Tape& tape, Choice which) {
  return tape.first_op([&](const Op& op) { return opens(op, which); });
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
  std::size_t depth = 1;
  while (const Op* const op = first_to_open(out.tape(), which)) {
    check_depth(*op, depth++);
    out = out.then(open_once(out.tape(), which));
  }
  return out;
}

}  // namespace backdrop
