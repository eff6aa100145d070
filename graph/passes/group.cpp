#include <algorithm>
#include <backdrop/core/op.hpp>
#include <backdrop/ops/checkpoint.hpp>
#include <bit>
#include <optional>
#include <utility>

#include "passes/passes.hpp"

// Elementwise nodes, and those that work row by row, pass memory once as a group: all of them for some rows,
// then for the next rows. The rows are positions along leading axes that all of the group share.
//
// What folds all of the rows, a sum over the batch, takes them panel by panel, too, and is there at the end.
//
// Nodes are met in order, and each joins the step that its last operand was computed in, if that is a group
// whose rows fit. Steps run in the order they were begun in, so what a node joins comes after all of its
// operands.
namespace backdrop::passes {

namespace {

// Values of fewer elements begin no group: they lie in the cache anyway.
constexpr std::size_t kSmall = 1024;
// The rows of a group have at most this many elements, so that a few of them fit into the cache.
constexpr std::size_t kLongestRow = 16384;
constexpr std::size_t kMostNodes = 64;

constexpr std::uint32_t kNone = 0xFFFFFFFF;     // no step: a leaf, or computed once per workspace
constexpr std::uint32_t kWaiting = 0xFFFFFFFE;  // until somebody needs it

std::size_t shared_axes(const Shape& a, const Shape& b, std::size_t most) {
  most = std::min({most, a.rank(), b.rank()});
  std::size_t k = 0;
  while (k < most && a[k] == b[k]) ++k;
  return k;
}

std::size_t positions(const Shape& shape, std::size_t axes) {
  std::size_t n = 1;
  for (std::size_t k = 0; k < axes; ++k) n *= static_cast<std::size_t>(shape[k]);
  return n;
}

// The node whose bytes node i has, where those before it know theirs.
std::uint32_t home_of(const Node& node, std::uint32_t i, const LargeVector<std::uint32_t>& homes,
                      const std::vector<bool>& results) {
  return node.op->view && !results[i] ? homes[node.inputs()[0]] : i;
}

Schedule::Part part_of(const Tape& tape, std::uint32_t i, bool repeated) {
  const Node& node = tape.node(i);
  const std::size_t count = tape.shape(node.shape).numel();
  const bool few = node.op->block != nullptr && count <= Schedule::kGrain;
  return {i, few ? static_cast<std::uint16_t>(count) : std::uint16_t{0}, repeated};
}

class Grouping {
 public:
  Grouping(const Tape& tape, const std::vector<bool>& results)
      : tape_(tape),
        results_(results),
        home_(tape.size()),
        step_of_(tape.size(), kNone),
        reader_(tape.size(), kNone) {}

  Schedule run() {
    for (std::uint32_t i = 0; i < tape_.size(); ++i) {
      home_[i] = home_of(tape_.node(i), i, home_, results_);
      if (!is_leaf(op(i)) && home_[i] == i) meet(i);
    }
    return schedule();
  }

 private:
  // What a group is cut along.
  struct Rows {
    const Shape* shape = nullptr;  // whose leading axes the group shares; null: a node alone
    std::size_t axes = 0;
    std::size_t largest = 0;  // elements of the largest value
    std::size_t piece = 0;    // positions that go through one state of what folds them; 0: nothing does
    int twos = 64;            // how often 2 divides the elements of each mask: rows of it end within bytes
  };
  // A step as it grows.
  struct Step {
    Rows rows{};
    std::size_t nodes = 0;
    std::vector<std::uint32_t> consumers{};  // of a group: other steps that need a value of it
    bool stays = false;                      // somebody who cannot stand in one group with it reads it
    std::uint32_t merged_into = kNone;
  };
  struct Part {
    std::uint32_t step, node;
    bool repeated;  // written anew in every group that needs it
  };

  const Op& op(std::uint32_t i) const { return *tape_.node(i).op; }
  const Shape& shape(std::uint32_t i) const { return tape_.shape(tape_.node(i).shape); }
  bool in_group(std::uint32_t step) const { return step < kWaiting && steps_[step].rows.shape != nullptr; }
  std::size_t folded_axes(std::uint32_t i) const { return passes::folded_axes(tape_.call(i)); }

  void meet(std::uint32_t i) {
    // What merely repeats is cheaper to write anew in every group than to read; random numbers wait for those
    // who need them first.
    const Node& node = tape_.node(i);
    const bool fixed = is_fixed(node) && !results_[i];
    if (fixed) fixed_.push_back(i);
    if (repeats(node) && node.arity > 0) compute_once(home_[node.inputs()[0]]);
    const bool waits = repeats(node) && repeated_from(i) != kWaiting;
    const bool draws = node.op->random && node.arity == 0 && node.op->block != nullptr;
    if (!results_[i] && (waits || draws)) {
      step_of_[i] = kWaiting;
      return;
    }
    if (fixed) return;
    if (!join(i)) begin_alone(i);
  }

  // What repeats a constant can wait only if that does not: it is computed once per workspace.
  void compute_once(std::uint32_t source) {
    if (step_of_[source] == kWaiting && is_fixed(tape_.node(source))) step_of_[source] = kNone;
  }

  // The step of what a repeating node repeats.
  std::uint32_t repeated_from(std::uint32_t i) const {
    return tape_.node(i).arity == 0 ? kNone : step_of(tape_.node(i).inputs()[0]);
  }
  std::uint32_t step_of(std::uint32_t node) const { return now(step_of_[home_[node]]); }
  std::uint32_t now(std::uint32_t step) const {
    while (step < kWaiting && steps_[step].merged_into != kNone) step = steps_[step].merged_into;
    return step;
  }

  void begin_alone(std::uint32_t i) {
    for (std::uint32_t input : tape_.node(i).inputs()) {
      const std::uint32_t home = home_[input];
      if (step_of_[home] == kWaiting) {
        if (op(home).repeats == nullptr || tape_.node(home).arity > 0) {
          for (std::uint32_t source : tape_.node(home).inputs()) consume(source, next_step());
          begin(home);
        } else {
          step_of_[home] = kNone;  // computed once per workspace
        }
      }
    }
    for (std::uint32_t input : tape_.node(i).inputs()) consume(input, next_step());
    begin(i);
  }

  std::uint32_t next_step() const { return static_cast<std::uint32_t>(steps_.size()); }
  void begin(std::uint32_t i) {
    step_of_[i] = next_step();
    steps_.push_back({.nodes = 1});
    parts_.push_back({step_of_[i], i, false});
  }
  void consume(std::uint32_t input, std::uint32_t by) {
    const std::uint32_t step = step_of(input);
    if (!in_group(step) || step == by) return;
    // What is folded is there when the group has ended.
    if (folded_axes(home_[input]) > 0) steps_[step].stays = true;
    std::vector<std::uint32_t>& consumers = steps_[step].consumers;
    if (consumers.empty() || consumers.back() != by) consumers.push_back(by);
  }

  // How node i can be cut, given its operands.
  Rows rows_of(std::uint32_t i) const {
    Rows rows{&shape(i), cuttable_axes(i), shape(i).numel()};
    const auto meet_mask = [&](std::uint32_t operand) {
      if (tape_.node(operand).dtype != DType::mask) return;
      rows.twos = std::min(rows.twos, std::countr_zero(shape(operand).numel()));
    };
    meet_mask(i);
    for (std::uint32_t input : tape_.node(i).inputs()) {
      meet_mask(input);
      rows.largest = std::max(rows.largest, shape(input).numel());
    }
    if (rows.axes > 0 && folded_axes(i) > 0) {
      rows.shape = &shape(tape_.node(i).inputs()[0]);
      rows.piece = op(i).folding->piece(tape_.call(i));
    }
    return rows;
  }
  // Along how many leading axes; 0: not at all.
  std::size_t cuttable_axes(std::uint32_t i) const {
    const Call c = tape_.call(i);
    if (const std::size_t folded = folded_axes(i)) {
      const std::uint32_t input = c.node.inputs()[0];
      return step_of(input) == kWaiting && op(home_[input]).repeats != nullptr ? 0 : folded;
    }
    const Shape& y = shape(i);
    std::size_t axes = y.rank();
    if (c.node.op->block == nullptr && !c.node.op->by_panels) return 0;
    for (std::size_t k = 0; k < c.arity(); ++k) {
      const std::uint32_t input = c.node.inputs()[k];
      if (c.node.op->block == nullptr) axes = std::min(axes, c.node.op->leading(c, k));
      axes = shared_axes(shape(input), y, axes);
      if (step_of(input) == kWaiting && op(home_[input]).repeats != nullptr) {
        axes = home_[input] == input ? repeated_axes(input, axes) : 0;
      }
    }
    return axes;
  }

  // Of a waiting node: how many axes are cut. Along those where it is the same it is written once, and along
  // those that it has in common with its input it follows from some of that; where such rows are too long,
  // along any, for a run of its elements follows from the whole input.
  std::size_t repeated_axes(std::uint32_t i, std::size_t most) const {
    const std::size_t axes = std::max(op(i).repeats(tape_.call(i)), common_axes(i));
    return std::min(most, fits({&shape(i), axes, shape(i).numel()}) ? axes : kMaxRank);
  }
  std::size_t common_axes(std::uint32_t i) const { return axes_in_common(tape_.call(i)); }

  // Panels begin at whole bytes of masks, and may have to have up to eight positions for it.
  bool fits(const Rows& rows) const {
    if (rows.axes == 0) return false;
    const std::size_t count = std::max<std::size_t>(1, positions(*rows.shape, rows.axes));
    const std::size_t together = 8U >> std::clamp(rows.twos - std::countr_zero(count), 0, 3);
    return rows.largest / count * std::min(together, count) <= kLongestRow;
  }

  // What stands in one group is cut alike, along `most` axes or fewer. What is folded can be cut along no
  // fewer axes than are folded, and its pieces are those of others that are folded.
  std::optional<Rows> common(const Rows& a, const Rows& b, std::size_t most) const {
    const std::size_t axes = shared_axes(*a.shape, *b.shape, std::min({a.axes, b.axes, most}));
    const Rows both{b.shape, axes, std::max(a.largest, b.largest), std::max(a.piece, b.piece),
                    std::min(a.twos, b.twos)};
    for (const Rows& one : {a, b}) {
      if (one.piece > 0 && (one.axes != axes || one.piece != both.piece)) return std::nullopt;
    }
    return fits(both) ? std::optional(both) : std::nullopt;
  }

  bool join(std::uint32_t i) {
    const Node& node = tape_.node(i);
    const Rows rows = rows_of(i);
    if (!fits(rows)) return false;

    std::uint32_t last = kNone;
    const auto later = [&](std::uint32_t step) {
      if (step < kWaiting && (last == kNone || step > last)) last = step;
    };
    for (std::uint32_t input : node.inputs()) {
      later(step_of(input));
      if (step_of(input) == kWaiting) {
        for (std::uint32_t source : tape_.node(home_[input]).inputs()) later(step_of(source));
      }
    }
    // What is computed again is meant to be computed late.
    const bool late = std::ranges::any_of(node.inputs(), [&](auto input) { return &op(input) == &again_op; });
    if (last == kNone || late || !take(last, i, rows)) {
      if (rows.largest < kSmall) return false;
      last = next_step();
      steps_.push_back({.rows = rows});
    }
    for (std::uint32_t input : node.inputs()) add_operand(input, last);
    add(i, last);
    step_of_[i] = last;
    for (std::uint32_t input : node.inputs()) {
      const std::uint32_t step = step_of(input);
      if (step != kNone) {
        merge(step, last);
      } else if (!late && shape(input).numel() >= kSmall) {
        // Where another group reads it, too, it passes memory once.
        merge(now(std::exchange(reader_[home_[input]], last)), last);
      }
    }
    return true;
  }

  void add(std::uint32_t node, std::uint32_t step, bool repeated = false) {
    parts_.push_back({step, node, repeated});
    ++steps_[step].nodes;
  }
  void add_operand(std::uint32_t input, std::uint32_t step) {
    const std::uint32_t home = home_[input];
    if (step_of_[home] != kWaiting) return consume(input, step);
    if (op(home).repeats == nullptr) {
      add(home, step);
      step_of_[home] = step;
      return;
    }
    add(home, step, true);
    for (std::uint32_t source : tape_.node(home).inputs()) {
      consume(source, step);
      // Whoever reads all of a value cannot stand in one group with it.
      if (step_of(source) < step && common_axes(home) < steps_[step].rows.axes) {
        steps_[step_of(source)].stays = true;
      }
    }
  }

  // Makes the group ready for node i, if their rows fit.
  bool take(std::uint32_t step, std::uint32_t i, const Rows& rows) {
    Step& s = steps_[step];
    if (s.rows.shape == nullptr || s.nodes >= kMostNodes) return false;
    std::size_t most = rows.axes;
    for (std::uint32_t input : tape_.node(i).inputs()) {
      const std::uint32_t home = home_[input];
      if (step_of(home) == step && folded_axes(home) > 0) return false;
      if (step_of_[home] != kWaiting) continue;
      for (std::uint32_t source : tape_.node(home).inputs()) {
        if (step_of(source) != step) continue;
        most = folded_axes(home_[source]) > 0 ? 0 : std::min(most, common_axes(home));
      }
    }
    const std::optional<Rows> both = common(rows, s.rows, most);
    if (both) s.rows = *both;
    return both.has_value();
  }

  // Moves a group to a later one, if nobody in between needs it.
  void merge(std::uint32_t from, std::uint32_t into) {
    if (!in_group(from) || from == into) return;
    Step &a = steps_[from], &b = steps_[into];
    if (from > into || a.stays) return;
    if (std::ranges::any_of(a.consumers, [&](std::uint32_t c) { return now(c) < into; })) return;
    if (a.nodes + b.nodes > kMostNodes) return;
    const std::optional<Rows> both = common(a.rows, b.rows, kMaxRank);
    if (!both) return;
    b.rows = *both;
    b.nodes += a.nodes;
    a.merged_into = into;
    for (std::uint32_t c : a.consumers) {
      if (now(c) != into) b.consumers.push_back(c);
    }
  }

  Schedule schedule() {
    for (Part& part : parts_) part.step = now(part.step);
    const auto place = [](const Part& p) { return std::pair(p.step, p.node); };
    std::ranges::sort(parts_, {}, place);
    const auto same = [&](const Part& a, const Part& b) { return place(a) == place(b); };
    parts_.erase(std::unique(parts_.begin(), parts_.end(), same), parts_.end());
    Schedule out;
    out.home = std::move(home_);
    out.fixed = std::move(fixed_);
    out.parts.reserve(parts_.size());
    for (std::size_t k = 0; k < parts_.size();) {
      const std::uint32_t step = parts_[k].step;
      const auto begin = static_cast<std::uint32_t>(out.parts.size());
      for (; k < parts_.size() && parts_[k].step == step; ++k) {
        out.parts.push_back(part_of(tape_, parts_[k].node, parts_[k].repeated));
      }
      const auto end = static_cast<std::uint32_t>(out.parts.size());
      if (end - begin > 1) out.groups.push_back({begin, end, steps_[step].rows.axes});
    }
    return out;
  }

  const Tape& tape_;
  const std::vector<bool>& results_;
  LargeVector<std::uint32_t> home_, step_of_;
  LargeVector<std::uint32_t> reader_;  // of a leaf or constant: the last group that reads it
  std::vector<std::uint32_t> fixed_;
  std::vector<Step> steps_;
  std::vector<Part> parts_;
};

}  // namespace

Schedule one_by_one(const Tape& tape, const std::vector<bool>& results) {
  Schedule out;
  out.home.resize(tape.size());
  out.parts.reserve(tape.size());
  for (std::uint32_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    out.home[i] = home_of(node, i, out.home, results);
    if (is_leaf(*node.op) || out.home[i] != i) continue;
    if (is_fixed(node) && !results[i]) {
      out.fixed.push_back(i);
    } else {
      out.parts.push_back(part_of(tape, i, false));
    }
  }
  return out;
}

Schedule group(const Tape& tape, const std::vector<bool>& results) {
  bool large = false;
  for (std::uint32_t id = 0; id < tape.shape_count() && !large; ++id) {
    large = tape.shape(id).numel() >= kSmall;
  }
  return large ? Grouping(tape, results).run() : one_by_one(tape, results);
}

}  // namespace backdrop::passes
