#include <algorithm>
#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/vmap.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>

#include "opened_body.hpp"

namespace backdrop {

namespace {

Shape with_leading(std::int64_t n, const Shape& shape) {
  std::vector<std::int64_t> extents{n};
  extents.insert(extents.end(), shape.begin(), shape.end());
  return Shape(std::move(extents));
}

// n; throws unless every `many` has n values of the type of its x.
std::int64_t count(std::span<const Var> xs, std::span<const Var> many) {
  if (xs.empty() || many.size() != xs.size()) {
    throw ShapeError("vmap: " + std::to_string(many.size()) + " stacks of values for " +
                     std::to_string(xs.size()) + " inputs; give one for each, and one at least");
  }
  const std::int64_t n = many[0].shape().rank() == 0 ? 0 : many[0].shape()[0];
  for (std::size_t k = 0; k < xs.size(); ++k) {
    if (many[k].dtype() != xs[k].dtype()) {
      throw DTypeError("vmap: the values of input " + std::to_string(k) + " are " +
                       to_string(many[k].dtype()) + ", but the input is " + to_string(xs[k].dtype()));
    }
    if (n < 1 || many[k].shape() != with_leading(n, xs[k].shape())) {
      throw ShapeError("vmap: the values of input " + std::to_string(k) + ", " + to_string(xs[k].shape()) +
                       ", have shape " + to_string(many[k].shape()) +
                       "; they must lie along a leading axis, one at least, and as many for each input");
    }
  }
  return n;
}

// A recording, or the body of a composite in it, and what became of its nodes.
struct Frame {
  const Tape* from;
  std::size_t next, end;
  std::uint32_t result;
  std::size_t composite;  // of the frame below: receives the result
  std::vector<Var> now;   // on the tape that is recorded to
  std::vector<bool> many;

  Frame(const Tape& tape, std::size_t begin, std::uint32_t y, std::size_t to)
      : from(&tape), next(begin), end(y + std::size_t{1}), result(y), composite(to), now(end), many(end) {}
};

class Vmap {
 public:
  Vmap(Tape& tape, std::int64_t n) : tape_(tape), n_(n) {}

  // Records nodes [frame.next, frame.end) that are needed and depend on many values.
  void record(Frame& bottom, const std::vector<bool>& needed) {
    frames_.push_back(&bottom);
    for (; bottom.next < bottom.end; ++bottom.next) {
      if (bottom.many[bottom.next]) continue;  // an input
      if (!bottom.now[bottom.next]) bottom.now[bottom.next] = tape_.var(bottom.next);
      if (needed[bottom.next] && depends(bottom)) record_node();
    }
  }
  Var spread(Var v) const { return broadcast_to(v, with_leading(n_, v.shape())); }

 private:
  static bool depends(const Frame& frame) {
    const auto inputs = frame.from->node(frame.next).inputs();
    return std::any_of(inputs.begin(), inputs.end(), [&](std::uint32_t k) { return frame.many[k]; });
  }

  // The next node of the frame on top; of a composite without a batch rule all of its body.
  void record_node() {
    const std::size_t depth = frames_.size(), first = tape_.size();
    if (step()) return;
    while (frames_.size() > depth) {
      Frame& frame = *frames_.back();
      if (frame.next == frame.end) {
        close();
        continue;
      }
      if (!depends(frame)) {
        const std::vector<Var> inputs = operands(frame);
        frame.now[frame.next] = tape_.record_again(*frame.from, frame.next, inputs);
        ++frame.next;
      } else if (step()) {
        ++frame.next;
      }
    }
    // Nodes of the body stand where the composite stood.
    const Frame& bottom = *frames_[0];
    for (std::size_t k = first; k < tape_.size(); ++k) {
      tape_.set_place(tape_.var(k), *bottom.from, bottom.from->node(bottom.next));
    }
  }

  // False when the node's body was opened as a further frame.
  bool step() {
    Frame& frame = *frames_.back();
    const Node& node = frame.from->node(frame.next);
    const Call c = frame.from->call(frame.next);
    const Tape::Attribution credit(tape_, frames_[0]->from->node(frames_[0]->next));
    const std::vector<Var> x = operands(frame);
    Var y;
    if (node.op->batch != nullptr) {
      y = node.op->batch(c, x);
    } else if (node.op->block != nullptr && !node.op->random) {  // random bits go by the element's number
      std::vector<Var> all = x;
      for (std::size_t k = 0; k < all.size(); ++k) {
        if (!frame.many[node.inputs()[k]]) all[k] = spread(all[k]);
      }
      y = tape_.record_again(*frame.from, frame.next, all);
    }
    if (!y && node.op->is_composite() && !node.op->has_kernel()) {
      open(frame, x);
      return false;
    }
    frame.now[frame.next] = y ? y : one_by_one(frame, x);
    frame.many[frame.next] = true;
    return true;
  }

  static std::vector<Var> operands(const Frame& frame) {
    std::vector<Var> out;
    for (std::uint32_t k : frame.from->node(frame.next).inputs()) out.push_back(frame.now[k]);
    return out;
  }

  void open(const Frame& frame, const std::vector<Var>& x) {
    const OpenedBody& body = opener_.open(*frame.from, frame.next, frames_.size() - 1);
    Frame& inner =
        *opened_.emplace_back(std::make_unique<Frame>(*body.tape, body.begin, body.result, frame.next));
    const auto inputs = frame.from->node(frame.next).inputs();
    for (std::size_t k = 0; k < body.stands_for.size(); ++k) {
      if (k >= inner.now.size()) break;  // the body is one of its inputs
      const auto at = std::find(inputs.begin(), inputs.end(), body.stands_for[k]) - inputs.begin();
      inner.now[k] = x[static_cast<std::size_t>(at)];
      inner.many[k] = frame.many[body.stands_for[k]];
    }
    inner.next = std::min(inner.next, inner.end);
    frames_.push_back(&inner);
  }

  void close() {
    const Frame& inner = *frames_.back();
    const Var y = inner.now[inner.result];
    const Var all = inner.many[inner.result] ? y : spread(y);
    const std::size_t composite = inner.composite;
    frames_.pop_back();
    opened_.pop_back();
    Frame& outer = *frames_.back();
    outer.now[composite] = all;
    outer.many[composite] = true;
    if (frames_.size() > 1) ++outer.next;
  }

  Var one_by_one(const Frame& frame, const std::vector<Var>& x) const {
    const auto inputs = frame.from->node(frame.next).inputs();
    std::vector<Var> each;
    for (std::int64_t i = 0; i < n_; ++i) {
      std::vector<Var> one = x;
      for (std::size_t k = 0; k < one.size(); ++k) {
        if (frame.many[inputs[k]]) one[k] = select(one[k], 0, i);
      }
      each.push_back(tape_.record_again(*frame.from, frame.next, one));
    }
    return stack(each);
  }

  Tape& tape_;
  std::int64_t n_;
  BodyOpener opener_;
  std::vector<Frame*> frames_;  // the recording, and the bodies open in it
  std::vector<std::unique_ptr<Frame>> opened_;
};

}  // namespace

std::vector<Var> vmap(std::span<const Var> ys, std::span<const Var> xs, std::span<const Var> many) {
  if (ys.empty()) return {};
  Tape& tape = ys[0].tape();
  for (Var v : ys) tape.check(v);
  for (Var v : xs) tape.check(v);
  for (Var v : many) tape.check(v);
  const std::int64_t n = count(xs, many);
  std::uint32_t last = 0;
  for (Var y : ys) last = std::max(last, y.index());
  for (Var x : xs) last = std::max(last, x.index());

  return all_or_nothing(tape, [&] {
    std::size_t lowest = last;
    for (Var x : xs) lowest = std::min<std::size_t>(lowest, x.index());
    Frame all(tape, 0, last, 0);
    for (std::size_t k = 0; k < xs.size(); ++k) {
      if (all.many[xs[k].index()]) throw ValueError("vmap: input " + std::to_string(k) + " is given twice");
      all.now[xs[k].index()] = many[k];
      all.many[xs[k].index()] = true;
    }
    std::vector<bool> needed(all.end, false);
    for (Var y : ys) needed[y.index()] = true;
    for (std::size_t i = all.end; i-- > lowest;) {
      if (!needed[i] || all.many[i]) continue;
      for (std::uint32_t input : tape.node(i).inputs()) needed[input] = true;
    }
    Vmap vmap(tape, n);
    vmap.record(all, needed);
    std::vector<Var> out;
    out.reserve(ys.size());
    for (Var y : ys) out.push_back(all.many[y.index()] ? all.now[y.index()] : vmap.spread(y));
    return out;
  });
}

}  // namespace backdrop
