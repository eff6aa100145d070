#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/core/tape.hpp>
#include <memory>
#include <vector>

namespace backdrop {

/// The body of one composite, recorded on a tape of its own: first a stand-in of the right type for each
/// distinct input, then the body. Leaves the recording it came from alone.
struct OpenedBody {
  const Tape* tape = nullptr;
  std::size_t begin = 0;                  ///< the first node that is not a stand-in
  std::uint32_t result = 0;               ///< the node whose value is the composite's
  std::vector<std::uint32_t> stands_for;  ///< stand-in -> node of the recording that holds the composite
};

/// Throws GraphError where `op`, found within `depth` bodies, lies too deep to be opened: an op that contains
/// itself.
void check_depth(const Op& op, std::size_t depth);

/// Opens bodies, and composites within bodies, reusing one tape for each depth.
class BodyOpener {
 public:
  /// The body of composite `index` of `from`, good until another one is opened at the same depth. Bodies of
  /// a recording have depth 0, theirs depth 1. Throws GraphError at depth 16: an op that contains itself.
  const OpenedBody& open(const Tape& from, std::size_t index, std::size_t depth);

 private:
  struct Level {
    Tape tape;
    OpenedBody body;
  };
  std::vector<std::unique_ptr<Level>> levels_;
};

}  // namespace backdrop
