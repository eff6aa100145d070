#include <algorithm>
#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/monte_carlo.hpp>
#include <backdrop/graph/vmap.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/reduce.hpp>
#include <map>
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

// For every key of the recording a fresh one for each sample.
class FreshKeys {
 public:
  FreshKeys(Keys& keys, std::int64_t samples) : keys_(keys), samples_(samples) {}
  Key operator()(Key old, std::int64_t sample) {
    std::vector<Key>& fresh = given_[{old.seed, old.stream}];
    if (fresh.empty()) {
      for (std::int64_t k = 0; k < samples_; ++k) fresh.push_back(keys_.next());
    }
    return fresh[static_cast<std::size_t>(sample)];
  }

 private:
  Keys& keys_;
  std::int64_t samples_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::vector<Key>> given_;
};

// Samples [first, first + count) of y, along a leading axis: the random nodes are recorded for each, what
// depends on them once for all.
Var record_samples(Var y, const std::vector<std::uint32_t>& changing, FreshKeys& fresh, std::int64_t first,
                   std::int64_t count) {
  Tape& tape = y.tape();
  std::vector<Var> xs, many;
  for (std::uint32_t i : changing) {
    const Node& node = tape.node(i);
    if (!node.op->random) continue;
    std::vector<Var> from, from_many;
    for (std::uint32_t input : node.inputs()) {
      const bool changes = std::binary_search(changing.begin(), changing.end(), input);
      from.push_back(tape.var(input));
      from_many.push_back(changes ? vmap(from.back(), xs, many) : Var{});
    }
    AttrValue attrs[kMaxAttrs];
    const std::size_t attr_count = node.op->attr_count();
    const Tape::Attribution credit(tape, node);
    std::vector<Var> each;
    for (std::int64_t k = 0; k < count; ++k) {
      for (std::size_t j = 0; j < from.size(); ++j) {
        if (from_many[j]) from[j] = select(from_many[j], 0, k);
      }
      for (std::size_t j = 0; j < attr_count; ++j) {
        attrs[j] = tape.attribute(node, j);
        if (attrs[j].kind == AttrKind::key) attrs[j] = AttrValue(fresh(attrs[j].key, first + k));
      }
      each.push_back(tape.record(*node.op, from, {attrs, attr_count}, Where{}));
    }
    xs.push_back(tape.var(i));
    many.push_back(stack(each));
  }
  return vmap(y, xs, many);
}

// How many samples are on their way at once: the memory of a run should not grow with their number.
std::int64_t at_once(const Tape& tape, const std::vector<std::uint32_t>& changing, std::int64_t samples) {
  constexpr std::size_t kMostElements = std::size_t{1} << 20;
  std::size_t largest = 1;
  for (std::uint32_t i : changing) largest = std::max(largest, tape.shape(tape.node(i).shape).numel());
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(kMostElements / largest), 1, samples);
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
    FreshKeys fresh(keys, samples);
    const std::int64_t part = at_once(tape, nodes, samples);
    std::vector<Var> parts;
    for (std::int64_t k = 0; k < samples; k += part) {
      parts.push_back(record_samples(y, nodes, fresh, k, std::min(part, samples - k)));
    }
    const Tape::Attribution credit(tape, tape.node(y));
    const Var all = parts.size() == 1 ? parts[0] : concat(parts, 0);
    return MonteCarlo{mean(all, {0}), var(all, {0}, correction)};
  });
}

}  // namespace backdrop
