#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "replay.hpp"

namespace backdrop::checking {

/// Where rounding swallows what moves, as in 1e8 + 1e-8 sin x: a node of an op of this library keeps its bits
/// though its operands move and its own derivative is not 0. A value that does not change then says nothing
/// about the derivative. (What is flat by nature - relu beside its kink, floor, a saturated tanh, an op of
/// the user's - swallows nothing.)
class Absorption {
 public:
  Absorption(const Replay& replay, Var y);

  /// Moves the inputs of a program of the replay, which stand at the point.
  using Move = std::function<void(Compiled&)>;
  /// Whether some operand moves so little beside its node's value that rounding may swallow a part of it.
  bool possible(const Move& move);
  /// Of each element of y whether it depends on an element of a node that stays where it should have moved.
  std::vector<bool> swallowed(const Move& move);

 private:
  struct Part {
    std::size_t node, operand;  // numbers of values; the operand of an input: behind the nodes
  };
  void record_parts(const std::vector<std::uint32_t>& nodes);
  void record_nudges(const std::vector<std::uint32_t>& nodes, Var y);
  void evaluate(const Move& move);

  const Replay* replay_;
  std::vector<Part> parts_;
  std::vector<std::size_t> looked_into_;  // nodes with parts
  std::unique_ptr<Compiled> values_, parts_moved_,
      nudged_;  // nudged_: y, of nodes times factors of their own
  std::vector<std::vector<double>> here_, there_,
      moved_;  // values, and what each part should move its node by
};

}  // namespace backdrop::checking
