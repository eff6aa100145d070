#include <backdrop/core/op.hpp>
#include <backdrop/ops/dropout.hpp>
#include <vector>

#include "passes/passes.hpp"

namespace backdrop::passes {

namespace {

class Drawing {
 public:
  Drawing(const Tape& tape, std::span<const Var> roots) : tape_(tape), uses_(tape.size(), 0) {
    for (Var root : roots) uses_[root.index()] = kNeeded;
    for (std::size_t i = 0; i < tape.size(); ++i) {
      const Node& node = tape.node(i);
      for (std::uint32_t input : node.inputs()) {
        std::uint32_t& uses = uses_[input];
        uses = uses < kNeeded && draws_alike(node, input) ? uses + 1 : kNeeded;
        any_ = any_ || uses == 1;
      }
    }
  }

  bool any() const { return any_; }

  // Whether the mask of this node is drawn where it is used.
  bool draws_late(const Node& node) const { return node.op == &dropout_op && mask_is_late(node.inputs()[1]); }
  bool mask_is_late(std::uint32_t i) const {
    return tape_.node(i).op == &dropout_mask_op && uses_[i] <= kMostDraws;
  }

  double p(const Node& mask) const { return tape_.attribute(mask, 1).real(); }
  Key key(const Node& mask) const { return tape_.attribute(mask, 2).key; }

 private:
  // Somebody else needs the mask, too.
  static constexpr std::uint32_t kNeeded = 0xFFFFFFFF;

  // Once more for the way back: that is cheaper than to wait for memory while drawing and while selecting.
  static constexpr std::uint32_t kMostDraws = 2;

  bool draws_alike(const Node& node, std::uint32_t input) const {
    const Node& mask = tape_.node(input);
    return mask.op == &dropout_mask_op && node.op == &dropout_op &&
           tape_.attribute(node, 0).real() == p(mask) && tape_.shape(node.shape) == tape_.shape(mask.shape);
  }

  const Tape& tape_;
  std::vector<std::uint32_t> uses_;
  bool any_ = false;
};

}  // namespace

Rewrite draw_late(Rewrite recording, std::span<const Var> roots) {
  const Tape& tape = recording.tape();
  const auto draws_mask = [](const Op& op) { return &op == &dropout_mask_op; };
  if (tape.first_op(draws_mask) == nullptr) return recording;
  const Drawing drawing(tape, roots);
  if (!drawing.any()) return recording;
  Rewrite out(tape);
  for (std::uint32_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    if (drawing.draws_late(node)) {
      const Node& mask = tape.node(node.inputs()[1]);
      out.stand_in(i, drawn_dropout(out.at(node.inputs()[0]), drawing.p(mask), drawing.key(mask)));
    } else if (!drawing.mask_is_late(i)) {
      out.copy(i);
    }
  }
  return recording.then(std::move(out));
}

}  // namespace backdrop::passes
