#pragma once

namespace backdrop::demo {

/// What was measured while answering; all of it goes into the report.
struct Answer {
  double taylor_rate_correct_mask = 0;  ///< the power of h that the remainder falls with: 2 for a derivative
  double taylor_rate_binary_mask = 0;   ///< 1: not the derivative
  bool fused_equals_composed = false;
  bool gradcheck_passed = false;
};

/// Prints whether the mask of inverted dropout is 0/1 or 0/2 in back-propagation, and the evidence.
Answer answer_question();

}  // namespace backdrop::demo
