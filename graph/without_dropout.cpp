#include <backdrop/core/op.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <backdrop/ops/dropout.hpp>
#include <utility>
#include <vector>

namespace backdrop {

namespace {

// Nodes that nothing but the dropped dropouts used, directly or through one another: masks, mostly.
std::vector<bool> masks_only(const Tape& tape) {
  std::vector<bool> used(tape.size(), false), for_mask(tape.size(), false);
  for (std::size_t i = tape.size(); i-- > 0;) {
    const Node& node = tape.node(i);
    if (node.op == &dropout_op) {
      used[node.inputs()[0]] = true;
      for_mask[node.inputs()[1]] = true;
      continue;
    }
    const bool gone = for_mask[i] && !used[i];
    for (std::uint32_t input : node.inputs()) (gone ? for_mask : used)[input] = true;
  }
  std::vector<bool> gone(tape.size());
  for (std::size_t i = 0; i < tape.size(); ++i) {
    gone[i] = for_mask[i] && !used[i] && !is_leaf(*tape.node(i).op);
  }
  return gone;
}

Rewrite pass_through(const Tape& tape) {
  const std::vector<bool> gone = masks_only(tape);
  Rewrite out(tape);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    if (gone[i]) continue;
    if (node.op == &dropout_op) {
      out.map(i, out.at(node.inputs()[0]));
    } else {
      out.copy(i);
    }
  }
  return out;
}

}  // namespace

Rewrite without_dropout(const Tape& tape) {
  const Rewrite fused = fuse(tape);
  return fused.then(pass_through(fused.tape()));
}

}  // namespace backdrop
