#include <algorithm>
#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/monte_carlo.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/reduce.hpp>
#include <string>
#include <utility>
#include <vector>

namespace backdrop {

namespace {

// The nodes that y needs and that change from sample to sample, in order.
std::vector<std::uint32_t> changing(const Tape& tape, Var y) {
  const std::size_t n = y.index() + std::size_t{1};
  std::vector<bool> needed(n, false), random(n, false);
  needed[y.index()] = true;
  for (std::size_t i = n; i-- > 0;) {
    if (!needed[i]) continue;
    for (std::uint32_t input : tape.node(i).inputs()) needed[input] = true;
  }
  std::vector<std::uint32_t> out;
  for (std::uint32_t i = 0; i < n; ++i) {
    const Node& node = tape.node(i);
    const auto from = node.inputs();
    random[i] = node.op->random || std::any_of(from.begin(), from.end(), [&](auto k) { return random[k]; });
    if (needed[i] && random[i]) out.push_back(i);
  }
  return out;
}

// The same key for the same key, within a sample.
class FreshKeys {
 public:
  explicit FreshKeys(Keys& keys) : keys_(keys) {}
  Key operator()(Key old) {
    for (const auto& [from, to] : given_) {
      if (from == old) return to;
    }
    given_.emplace_back(old, keys_.next());
    return given_.back().second;
  }

 private:
  Keys& keys_;
  std::vector<std::pair<Key, Key>> given_;
};

Var record_sample(Tape& tape, const std::vector<std::uint32_t>& nodes, Keys& keys, std::vector<Var>& now) {
  FreshKeys fresh(keys);
  std::vector<Var> inputs;
  for (std::uint32_t i : nodes) {
    const Node& node = tape.node(i);
    inputs.clear();
    for (std::uint32_t input : node.inputs()) inputs.push_back(now[input] ? now[input] : tape.var(input));
    AttrValue attrs[kMaxAttrs];
    const std::size_t count = node.op->attr_count();
    for (std::size_t k = 0; k < count; ++k) {
      attrs[k] = tape.attribute(node, k);
      if (attrs[k].kind == AttrKind::key) attrs[k] = AttrValue(fresh(attrs[k].key));
    }
    const Tape::Attribution credit(tape, node);
    now[i] = tape.record(*node.op, inputs, {attrs, count}, Where{});
  }
  return now[nodes.back()];
}

}  // namespace

MonteCarlo monte_carlo(Var y, std::int64_t samples, Keys& keys, std::int64_t correction) {
  if (correction < 0 || samples <= correction) {
    throw ValueError("monte_carlo: " + std::to_string(samples) + " samples with correction " +
                     std::to_string(correction) +
                     " have no variance; give more, and a correction of 0 or more");
  }
  Tape& tape = y.tape();
  const std::vector<std::uint32_t> nodes = changing(tape, y);
  if (nodes.empty()) {
    throw GraphError("monte_carlo: y depends on no random node; take the recording as it is in training");
  }
  return all_or_nothing(tape, [&] {
    std::vector<Var> drawn, now(y.index() + std::size_t{1});
    drawn.reserve(static_cast<std::size_t>(samples));
    for (std::int64_t k = 0; k < samples; ++k) drawn.push_back(record_sample(tape, nodes, keys, now));
    const Tape::Attribution credit(tape, tape.node(y));
    const Var all = stack(drawn);
    return MonteCarlo{mean(all, {0}), var(all, {0}, correction)};
  });
}

}  // namespace backdrop
