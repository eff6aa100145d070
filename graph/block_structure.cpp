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

std::size_t blocks_between(const Rewrite& opened, Var y, Var x) {
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

}  // namespace

std::vector<std::size_t> independent_blocks_of_each(Var y, std::span<const Var> xs) {
  const Rewrite opened = expand(y.tape());
  std::vector<std::size_t> out;
  out.reserve(xs.size());
  for (Var x : xs) out.push_back(blocks_between(opened, y, x));
  return out;
}

std::size_t independent_blocks(Var y, Var x) { return independent_blocks_of_each(y, {&x, 1})[0]; }

}  // namespace backdrop
