#include "block_structure.hpp"

#include <backdrop/core/op.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <numeric>
#include <vector>

namespace backdrop {

namespace {

// 0 for what does not depend on x; it leaves every gcd as it is.
constexpr std::size_t kIndependent = 0;

// How many runs of y an op works on one by one, as far as input k is concerned.
std::size_t runs(const Call& c, std::size_t k) {
  const Structure structure = c.node.op->structure;
  if (structure == Structure::diagonal || structure == Structure::identity) return c.y.shape().numel();
  if (c.node.op->leading == nullptr) return 1;
  return Shape(c.y.shape().extents().first(c.node.op->leading(c, k))).numel();
}

}  // namespace

std::size_t independent_blocks(Var y, Var x) {
  const Rewrite opened = expand(y.tape());
  const Tape& tape = opened.tape();
  const std::size_t from = opened(x).index(), to = opened(y).index();
  if (x.shape().numel() == 0 || y.shape().numel() == 0 || from > to) return 1;
  std::vector<std::size_t> blocks(to + 1, kIndependent);
  blocks[from] = x.shape().numel();
  for (std::size_t i = from + 1; i <= to; ++i) {
    const Call c = tape.call(i);
    for (std::size_t k = 0; k < c.arity(); ++k) {
      const std::size_t input = c[k].index();
      if (input < from || blocks[input] == kIndependent) continue;
      blocks[i] = std::gcd(blocks[i], std::gcd(blocks[input], runs(c, k)));
    }
  }
  return blocks[to] == kIndependent ? 1 : blocks[to];
}

std::size_t independent_blocks(Var y, std::span<const Var> xs) {
  std::size_t blocks = 0;
  for (Var x : xs) blocks = std::gcd(blocks, independent_blocks(y, x));
  return blocks == 0 ? 1 : blocks;
}

}  // namespace backdrop
