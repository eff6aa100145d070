#pragma once

namespace backdrop::bench {

/// y = x, and then so often y + x, y x, y^2 in turn, of one element: what an op costs beside its arithmetic.
struct TinyChain {
  static constexpr int kOps = 1000;

  enum class Op { add, mul, square };
  static constexpr Op op(int k) { return static_cast<Op>(k % 3); }
};

}  // namespace backdrop::bench
