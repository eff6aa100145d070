#include <backdrop/core/op.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <utility>
#include <vector>

#include "fuse.hpp"
#include "uses.hpp"

namespace backdrop {

namespace {

// Each op with a rule for inference is recorded once more and replaced by what the rule records of it.
Rewrite at_inference(const Tape& tape) {
  Rewrite out(tape);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const Var copy = out.copy(i);
    const auto rule = tape.node(i).op->inference;
    if (rule == nullptr) continue;
    const Tape::Attribution credit(out.tape(), out.tape().node(copy));
    const Var v = rule(out.tape().call(copy.index()));
    if (v.index() > copy.index()) {
      out.stand_in(i, v);
    } else {
      out.map(i, v);
    }
  }
  return out;
}

// Without the nodes that the rules replaced, and without those that then lost their last use, directly or
// through one another: masks, mostly. What nothing used before is a result, and stays.
Rewrite without_unused(const Rewrite& inference) {
  const Tape& before = inference.from();
  const Tape& tape = inference.tape();
  const std::vector<std::uint32_t> uses_before = uses(before);
  std::vector<bool> is_result(tape.size(), false);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool replaced = before.node(i).op->inference != nullptr;
    if (replaced || uses_before[i] == 0) is_result[inference.at(i).index()] = true;
  }
  std::vector<std::uint32_t> uses_left = uses(tape);
  std::vector<bool> gone(tape.size(), false);
  for (std::size_t i = tape.size(); i-- > 0;) {
    gone[i] = uses_left[i] == 0 && !is_result[i] && !is_leaf(*tape.node(i).op);
    if (!gone[i]) continue;
    for (std::uint32_t input : tape.node(i).inputs()) --uses_left[input];
  }
  Rewrite out(tape);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (!gone[i]) out.copy(i);
  }
  return out;
}

}  // namespace

Rewrite without_dropout(const Tape& tape) {
  const Rewrite fused = fuse(tape, {}, Masks::drawn);
  const Rewrite inference = at_inference(fused.tape());
  Rewrite rest = without_unused(inference);
  return fused.then(inference.then(std::move(rest)));
}

}  // namespace backdrop
