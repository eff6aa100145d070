#include <algorithm>
#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/core/large_vector.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/gradient.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/checkpoint.hpp>
#include <backdrop/ops/create.hpp>
#include <string>

#include "opened_body.hpp"

namespace backdrop {

namespace {

void require_differentiable(const char* what, Var v) {
  if (is_float(v.dtype())) return;
  throw DTypeError(std::string(what) + ": node " + std::to_string(v.index()) + " ('" + std::string(v.name()) +
                   "') is " + to_string(v.dtype()) + "; only f32 and f64 carry derivatives");
}

void require_type(const char* what, Var of, Var given) {
  if (of.dtype() != given.dtype()) {
    throw DTypeError(std::string(what) + ": is " + to_string(given.dtype()) + ", but must be " +
                     to_string(of.dtype()));
  }
  if (of.shape() != given.shape()) {
    throw ShapeError(std::string(what) + ": has shape " + to_string(given.shape()) + ", but must have " +
                     to_string(of.shape()));
  }
}

[[noreturn]] void throw_missing(const Call& c, const char* mode, std::size_t input) {
  const Op& op = *c.node.op;
  const Where where = c.tape.where(c.node);
  throw GraphError(std::string(op.name) + ": has no " + mode + " in input '" +
                   op.inputs[std::min(input, op.arity() - 1)] + "' (recorded at " + where.file + ":" +
                   std::to_string(where.line) + "); stop_gradient() there if none is meant");
}

// What a sweep carries for each node: a mark whether derivatives pass through it, and its (co)tangent.
// Grows with the tape, because opened bodies are swept too.
class Sweep {
 public:
  explicit Sweep(Tape& tape) : tape_(tape) { grow(); }

  void seed(Var x) {
    active_[x.index()] = true;
    if (!is_leaf(*tape_.node(x).op)) inner_seeds_.push_back(x.index());
  }
  // Seeds that are no leaves, where a sweep has to arrive, not only pass.
  const std::vector<std::uint32_t>& inner_seeds() const { return inner_seeds_; }
  bool active(std::size_t node) const { return active_[node]; }
  Var carried(std::size_t node) const { return carried_[node]; }
  void replace(std::size_t node, Var v) { carried_[node] = v; }
  void add(std::size_t node, Var v) {
    if (!v) return;
    carried_[node] = carried_[node] ? backdrop::add(carried_[node], v) : v;
  }
  // On the way back. What a copy of a region adds to its boundary is added one by one, as the original would:
  // a sum of its own would round differently.
  void add_back(std::size_t node, Var v) {
    while (tape_.node(node).op == &again_op && std::ranges::find(inner_seeds_, node) == inner_seeds_.end()) {
      node = tape_.node(node).inputs()[0];
    }
    add(node, v);
  }
  void grow() {
    active_.resize(tape_.size(), false);
    carried_.resize(tape_.size());
  }
  // A float node is active when one of its inputs is.
  void mark(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const Node& node = tape_.node(i);
      if (active_[i] || !is_float(node.dtype)) continue;
      for (std::uint32_t input : node.inputs()) {
        if (active_[input]) {
          active_[i] = true;
          break;
        }
      }
    }
  }

  // Of nodes [begin, end), only those that lead to one of ys otherwise than through what carries a tangent.
  void keep_leading_to(std::span<const Var> ys, std::size_t begin, std::size_t end) {
    std::vector<bool> leads(end - begin, false);
    for (Var y : ys) {
      if (y.index() >= begin) leads[y.index() - begin] = true;
    }
    for (std::size_t i = end; i-- > begin;) {
      active_[i] = active_[i] && leads[i - begin];
      if (!active_[i] || carried_[i]) continue;
      for (std::uint32_t input : tape_.node(i).inputs()) {
        if (input >= begin) leads[input - begin] = true;
      }
    }
  }

 private:
  Tape& tape_;
  std::vector<bool> active_;
  LargeVector<Var> carried_;
  std::vector<std::uint32_t> inner_seeds_;
};

// Records a body, or a region again, at the end of the tape, to be swept in the place of the node.
struct Opened {
  std::size_t begin, end;
  Var y;
};
Opened open(const Call& c, Var (*record)(const Call&)) {
  const std::size_t begin = c.tape.size();
  const Var y = record(c);
  return {begin, c.tape.size(), y};
}

// ---- reverse

// The contribution of input k, where the op itself has a rule.
Var pull(const Call& c, std::size_t k, Var g) {
  const Op& op = *c.node.op;
  if (k < kMaxInputs && op.derivative.each[k] != nullptr) return mul(g, op.derivative.each[k](c));
  if (op.vjp.word == Rules::Word::for_every) return op.vjp.every(c, g, k);
  if (op.vjp.word == Rules::Word::per_input && k < kMaxInputs && op.vjp.each[k] != nullptr) {
    return op.vjp.each[k](c, g);
  }
  throw_missing(c, "vjp", k);
}

bool opens_in_reverse(const Op& op) {
  return op.vjp.word == Rules::Word::absent && op.derivative.each[0] == nullptr && op.body != nullptr;
}

// A derivative in a node that a copy would stand for: it is the node itself that has to be reached.
bool asked_within(const Call& c, const Sweep& sweep) {
  if (sweep.inner_seeds().empty()) return false;
  const std::vector<std::uint32_t> region = checkpointed(c);
  return std::ranges::any_of(sweep.inner_seeds(), [&](std::uint32_t seed) {
    return std::binary_search(region.begin(), region.end(), seed);
  });
}

// Sweeps [0, y] backwards. A composite without rules is opened: its body, appended to the tape, becomes a
// segment of its own that is swept before the sweep goes on below the composite. So is a checkpoint, whose
// region is appended once more.
void sweep_back(Tape& tape, Sweep& sweep, std::size_t lowest, std::size_t y) {
  struct Segment {
    std::size_t begin, next;  // nodes [begin, next) are still to be visited, from the last
    std::size_t depth;        // bodies that it lies in
  };
  std::vector<Segment> open_segments{{lowest, y + 1, 0}};
  while (!open_segments.empty()) {
    Segment& segment = open_segments.back();
    if (segment.next == segment.begin) {
      open_segments.pop_back();
      continue;
    }
    const std::size_t i = --segment.next;
    const Var g = sweep.carried(i);
    const Node& node = tape.node(i);
    if (!g || !sweep.active(i) || node.arity == 0) continue;
    const Tape::Attribution credit(tape, node, Tape::Attribution::By::derivative);
    const Call c = tape.call(i);
    if (node.op->recompute != nullptr && asked_within(c, sweep)) {
      sweep.add_back(node.inputs()[0], g);
      continue;
    }
    if (node.op->recompute != nullptr || opens_in_reverse(*node.op)) {
      const bool again = node.op->recompute != nullptr;
      if (!again) check_depth(*node.op, segment.depth);
      const Opened body = open(c, again ? node.op->recompute : node.op->body);
      sweep.grow();
      sweep.mark(body.begin, body.end);
      sweep.add_back(body.y.index(), g);
      if (body.begin < body.end) {
        open_segments.push_back({body.begin, body.end, segment.depth + (again ? 0 : 1)});
      }
      continue;
    }
    for (std::size_t k = 0; k < node.arity; ++k) {
      const std::uint32_t input = node.inputs()[k];
      if (sweep.active(input)) sweep.add_back(input, pull(c, k, g));
    }
  }
}

// ---- forward

Var push_linear(const Call& c, const Sweep& sweep) {
  std::vector<Var> tangents;
  for (std::size_t k = 0; k < c.arity(); ++k) {
    const Var t = sweep.carried(c[k].index());
    tangents.push_back(t ? t : full_like(c[k], 0));
  }
  return c.tape.record_again(c.tape, c.y.index(), tangents);
}

// The tangent that arrives through input k alone.
Var push(const Call& c, std::size_t k, Var t) {
  const Op& op = *c.node.op;
  if (k < kMaxInputs && op.derivative.each[k] != nullptr) return mul(t, op.derivative.each[k](c));
  switch (op.jvp.word) {
    case Rules::Word::multilinear:
      return c.with_input(k, t);
    case Rules::Word::for_every:
      return op.jvp.every(c, t, k);
    case Rules::Word::per_input:
      if (k < kMaxInputs && op.jvp.each[k] != nullptr) return op.jvp.each[k](c, t);
      break;
    default:
      break;
  }
  throw_missing(c, "jvp", k);
}

bool opens_forward(const Op& op) {
  return op.jvp.word == Rules::Word::absent && op.derivative.each[0] == nullptr && op.body != nullptr;
}

// Sweeps [lowest, last] forwards. The body of an opened composite is swept as a segment; at its end the
// tangent of its output becomes the composite's.
void sweep_forward(Tape& tape, Sweep& sweep, std::size_t lowest, std::size_t last) {
  struct Segment {
    std::size_t next, end;
    std::size_t composite;  // receives the tangent of `output` at the end
    std::size_t output;
  };
  std::vector<Segment> open_segments{{lowest, last + 1, last, last}};
  while (!open_segments.empty()) {
    Segment& segment = open_segments.back();
    if (segment.next == segment.end) {
      sweep.replace(segment.composite, sweep.carried(segment.output));
      open_segments.pop_back();
      continue;
    }
    const std::size_t i = segment.next++;
    const Node& node = tape.node(i);
    if (sweep.carried(i) || !sweep.active(i) || node.arity == 0) continue;
    const Tape::Attribution credit(tape, node, Tape::Attribution::By::derivative);
    const Call c = tape.call(i);
    if (opens_forward(*node.op)) {
      check_depth(*node.op, open_segments.size() - 1);
      const Opened body = open(c, node.op->body);
      sweep.grow();
      sweep.mark(body.begin, body.end);
      sweep.keep_leading_to({&body.y, 1}, body.begin, body.end);
      open_segments.push_back({body.begin, body.end, i, body.y.index()});
      continue;
    }
    if (node.op->jvp.word == Rules::Word::linear) {
      const bool any = std::any_of(node.inputs().begin(), node.inputs().end(),
                                   [&](std::uint32_t k) { return bool(sweep.carried(k)); });
      if (any) sweep.replace(i, push_linear(c, sweep));
      continue;
    }
    for (std::size_t k = 0; k < node.arity; ++k) {
      const Var t = sweep.carried(node.inputs()[k]);
      if (t) sweep.add(i, push(c, k, t));
    }
  }
}

}  // namespace

std::vector<Var> vjp(Var y, std::span<const Var> xs, Var cotangent) {
  Tape& tape = y.tape();
  require_differentiable("grad", y);
  require_type("cotangent", y, cotangent);
  for (Var x : xs) {
    tape.check(x);
    require_differentiable("grad", x);
  }
  tape.check(cotangent);
  return all_or_nothing(tape, [&] {
    Sweep sweep(tape);
    std::size_t lowest = tape.size();
    for (Var x : xs) {
      sweep.seed(x);
      lowest = std::min<std::size_t>(lowest, x.index());
    }
    sweep.mark(lowest, y.index() + std::size_t{1});
    sweep.add_back(y.index(), cotangent);
    if (lowest <= y.index()) sweep_back(tape, sweep, lowest, y.index());
    std::vector<Var> out;
    out.reserve(xs.size());
    for (Var x : xs) {
      const Var g = sweep.carried(x.index());
      out.push_back(g ? g : full_like(x, 0));
    }
    return out;
  });
}

std::vector<Var> grad(Var y, std::span<const Var> xs) {
  if (y.shape().numel() != 1) {
    throw ShapeError("grad: y has shape " + to_string(y.shape()) +
                     "; give vjp() a cotangent of that shape, or reduce y with sum()");
  }
  require_differentiable("grad", y);
  Tape& tape = y.tape();
  for (Var x : xs) {
    tape.check(x);
    require_differentiable("grad", x);
  }
  return all_or_nothing(tape, [&] {
    const Tape::Attribution credit(tape, tape.node(y), Tape::Attribution::By::derivative);
    return vjp(y, xs, full_like(y, 1));
  });
}

ValueAndGrad value_and_grad(Var y, std::span<const Var> xs) { return {y, grad(y, xs)}; }

namespace {

void check_tangents(const Tape& tape, std::span<const Var> xs, std::span<const Var> tangents) {
  if (xs.size() != tangents.size()) {
    throw ShapeError("jvp: " + std::to_string(tangents.size()) + " tangents for " +
                     std::to_string(xs.size()) + " inputs");
  }
  for (std::size_t k = 0; k < xs.size(); ++k) {
    tape.check(xs[k]);
    tape.check(tangents[k]);
    require_differentiable("jvp", xs[k]);
    require_type("tangent", xs[k], tangents[k]);
  }
}

// The tangents of several nodes, of which none is recorded twice.
std::vector<Var> push_all(Tape& tape, std::span<const Var> ys, std::span<const Var> xs,
                          std::span<const Var> tangents) {
  Sweep sweep(tape);
  std::size_t lowest = tape.size(), last = 0;
  for (std::size_t k = 0; k < xs.size(); ++k) {
    sweep.seed(xs[k]);
    sweep.add(xs[k].index(), tangents[k]);
    lowest = std::min<std::size_t>(lowest, xs[k].index());
  }
  for (Var y : ys) last = std::max<std::size_t>(last, y.index());
  if (lowest <= last) {
    sweep.mark(lowest, last + 1);
    sweep.keep_leading_to(ys, lowest, last + 1);
    sweep_forward(tape, sweep, lowest, last);
  }
  std::vector<Var> out;
  out.reserve(ys.size());
  for (Var y : ys) {
    const Var t = sweep.carried(y.index());
    out.push_back(t ? t : full_like(y, 0));
  }
  return out;
}

}  // namespace

Var jvp(Var y, std::span<const Var> xs, std::span<const Var> tangents) {
  Tape& tape = y.tape();
  require_differentiable("jvp", y);
  check_tangents(tape, xs, tangents);
  return all_or_nothing(tape, [&] { return push_all(tape, {&y, 1}, xs, tangents)[0]; });
}

std::vector<Var> hvp(Var y, std::span<const Var> xs, std::span<const Var> vs) {
  Tape& tape = y.tape();
  check_tangents(tape, xs, vs);
  return all_or_nothing(tape, [&] { return push_all(tape, grad(y, xs), xs, vs); });
}

}  // namespace backdrop
