#include <algorithm>
#include <backdrop/core/op.hpp>
#include <backdrop/ops/checkpoint.hpp>
#include <bit>

#include "passes/passes.hpp"

namespace backdrop::passes {

namespace {

std::uint64_t mix(std::uint64_t h, std::uint64_t word) {
  h = (h ^ word) * 0x9E3779B97F4A7C15U;
  return h ^ (h >> 32);
}

std::uint64_t hash(const AttrValue& value) {
  std::uint64_t h = mix(value.bits, value.key.seed);
  h = mix(h, value.key.stream);
  for (std::int64_t n : value.ints) h = mix(h, static_cast<std::uint64_t>(n));
  return h;
}

bool equal(const AttrValue& a, const AttrValue& b) {
  return a.kind == b.kind && a.bits == b.bits && a.key == b.key && std::ranges::equal(a.ints, b.ints);
}

// A node of the old recording, on the inputs it will have in the new one.
std::uint64_t hash(const Rewrite& out, const Node& node) {
  std::uint64_t h = mix(std::bit_cast<std::uintptr_t>(node.op), node.arity);
  for (std::uint32_t input : node.inputs()) h = mix(h, out.at(input).index());
  for (std::size_t k = 0; k < node.op->attr_count(); ++k) h = mix(h, hash(out.from().attribute(node, k)));
  return h;
}

// `since`: the again() that was recorded last.
bool equal(const Rewrite& out, const Node& node, std::uint32_t index, std::uint32_t since) {
  const Node& recorded = out.tape().node(index);
  if (node.op->random && node.arity == 0 && index < since) return false;
  if (node.op != recorded.op || node.arity != recorded.arity) return false;
  for (std::size_t k = 0; k < node.arity; ++k) {
    if (out.at(node.inputs()[k]).index() != recorded.inputs()[k]) return false;
  }
  for (std::size_t k = 0; k < node.op->attr_count(); ++k) {
    if (!equal(out.from().attribute(node, k), out.tape().attribute(recorded, k))) return false;
  }
  return true;
}

}  // namespace

Rewrite share(const Tape& tape) {
  Rewrite out(tape);
  constexpr std::uint32_t kFree = 0xFFFFFFFF;
  std::uint32_t since = 0;
  std::vector<std::uint32_t> table(std::bit_ceil(2 * tape.size() + 2), kFree);  // open addressing
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    if (is_leaf(*node.op)) {
      out.copy(i);
      continue;
    }
    std::size_t at = hash(out, node) & (table.size() - 1);
    while (table[at] != kFree && !equal(out, node, table[at], since)) {
      at = (at + 1) & (table.size() - 1);
    }
    if (table[at] == kFree) {
      table[at] = out.copy(i).index();
    } else {
      out.map(i, out.tape().var(table[at]));
    }
    if (node.op == &again_op) since = out.at(i).index();
  }
  return out;
}

}  // namespace backdrop::passes
