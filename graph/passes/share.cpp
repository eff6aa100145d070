#include <algorithm>
#include <backdrop/core/op.hpp>
#include <backdrop/ops/checkpoint.hpp>
#include <bit>

#include "passes/passes.hpp"

namespace backdrop::passes {

namespace {

constexpr std::uint32_t kFree = 0xFFFFFFFF;

// For each node the first that computes the same: itself, if none before it does.
class FirstEquals {
 public:
  explicit FirstEquals(const Tape& tape)
      : tape_(tape), first_(tape.size()), table_(kPerNode * tape.size() + kNear, kFree) {
    for (std::uint32_t i = 0; i < tape.size(); ++i) {
      const Node& node = tape.node(i);
      first_[i] = is_leaf(*node.op) ? i : first_like(node, i);
      any_ = any_ || first_[i] != i;
      if (node.op == &again_op) since_ = first_[i];
    }
  }

  bool any() const { return any_; }
  std::uint32_t operator[](std::size_t i) const { return first_[i]; }

 private:
  // Looks the node up, and enters it where it is new: at one of a few places that go with its newest input,
  // which was met not long ago, so that this part of the table lies in the cache; or else anywhere.
  std::uint32_t first_like(const Node& node, std::uint32_t i) {
    if (node.arity > 0) {
      const std::size_t near = kPerNode * newest_input(node);
      for (std::size_t at = near; at < near + kNear; ++at) {
        if (std::uint32_t& found = table_[at]; is_or_becomes(found, node, i)) return found;
      }
    }
    for (std::size_t at = hash(node) % table_.size();; at = at + 1 < table_.size() ? at + 1 : 0) {
      if (std::uint32_t& found = table_[at]; is_or_becomes(found, node, i)) return found;
    }
  }

  bool is_or_becomes(std::uint32_t& entry, const Node& node, std::uint32_t i) const {
    if (entry == kFree) entry = i;
    return entry == i || equal(node, entry);
  }

  std::size_t newest_input(const Node& node) const {
    std::uint32_t newest = 0;
    for (std::uint32_t input : node.inputs()) newest = std::max(newest, first_[input]);
    return newest;
  }

  static std::uint64_t mix(std::uint64_t h, std::uint64_t word) {
    h = (h ^ word) * 0x9E3779B97F4A7C15U;
    return h ^ (h >> 32);
  }

  std::uint64_t hash(const Node& node) const {
    std::uint64_t h = mix(std::bit_cast<std::uintptr_t>(node.op), node.arity);
    for (std::uint32_t input : node.inputs()) h = mix(h, first_[input]);
    if (node.attrs == nullptr) return h;
    for (std::size_t k = 0; k < node.op->attr_count(); ++k) {
      const AttrValue value = tape_.attribute(node, k);
      h = mix(mix(mix(h, value.bits), value.key.seed), value.key.stream);
      for (std::int64_t n : value.ints) h = mix(h, static_cast<std::uint64_t>(n));
    }
    return h;
  }

  bool equal(const Node& node, std::uint32_t other) const {
    const Node& found = tape_.node(other);
    if (node.op != found.op || node.arity != found.arity) return false;
    if (node.op->random && node.arity == 0 && other < since_) return false;
    for (std::size_t k = 0; k < node.arity; ++k) {
      if (first_[node.inputs()[k]] != first_[found.inputs()[k]]) return false;
    }
    for (std::size_t k = 0; node.attrs != nullptr && k < node.op->attr_count(); ++k) {
      const AttrValue a = tape_.attribute(node, k), b = tape_.attribute(found, k);
      if (a.bits != b.bits || a.key != b.key || !std::ranges::equal(a.ints, b.ints)) return false;
    }
    return true;
  }

  static constexpr std::size_t kPerNode = 2, kNear = 8;

  const Tape& tape_;
  LargeVector<std::uint32_t> first_;
  LargeVector<std::uint32_t> table_;  // open addressing
  std::uint32_t since_ = 0;           // the again() that was recorded last
  bool any_ = false;
};

}  // namespace

Rewrite share(Rewrite recording) {
  const Tape& tape = recording.tape();
  const FirstEquals first(tape);
  if (!first.any()) return recording;
  Rewrite out(tape);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (first[i] == i) {
      out.copy(i);
    } else {
      out.map(i, out.at(first[i]));
    }
  }
  return recording.then(std::move(out));
}

}  // namespace backdrop::passes
