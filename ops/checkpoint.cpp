#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/checkpoint.hpp>
#include <backdrop/ops/layout.hpp>
#include <cmath>
#include <cstring>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "kernels/elementwise.hpp"

namespace backdrop {

namespace {

// The nodes before `last` that lead to it, and itself, in order: up to leaves and where `ends` says.
template <class Ends>
std::vector<std::uint32_t> way_back(const Tape& tape, std::uint32_t last, Ends ends) {
  std::vector<std::uint32_t> out, open{last};
  std::unordered_set<std::uint32_t> seen{last};
  while (!open.empty()) {
    const std::uint32_t i = open.back();
    open.pop_back();
    if (is_leaf(*tape.node(i).op) || ends(i)) continue;
    out.push_back(i);
    for (std::uint32_t input : tape.node(i).inputs()) {
      if (seen.insert(input).second) open.push_back(input);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// The region on its boundary once more. Leaves pass through again(), too: what depends on them alone is not
// to be kept either. They come first, which tells compile that masks after them are drawn anew.
Var record_region(const Call& c) {
  const std::vector<std::uint32_t> region = checkpointed(c);
  std::unordered_map<std::uint32_t, Var> now;
  for (std::uint32_t i : region) now.try_emplace(i);
  const auto from_outside = [&](std::uint32_t i) {
    const auto [at, outside] = now.try_emplace(i);
    if (outside) at->second = again(c.tape.var(i));
  };
  from_outside(c[0].index());
  for (std::uint32_t i : region) {
    for (std::uint32_t input : c.tape.node(i).inputs()) from_outside(input);
  }
  std::vector<Var> inputs;
  for (std::uint32_t i : region) {
    const Node& node = c.tape.node(i);
    inputs.clear();
    for (std::uint32_t input : node.inputs()) inputs.push_back(now[input]);
    const Tape::Attribution credit(c.tape, node);
    now[i] = c.tape.record_again(c.tape, i, inputs);
  }
  return now[c[0].index()];
}

// Where only the boundary has many values, y is the same for all.
Var on_batches(const Call& c, std::span<const Var> x) {
  std::vector<Var> inputs(x.begin(), x.end());
  const Shape& one = c.shape(0);
  for (std::size_t k = 1; k < inputs.size() && inputs[0].shape().rank() == one.rank(); ++k) {
    if (inputs[k].shape().rank() == c.shape(k).rank()) continue;
    std::vector<std::int64_t> extents{inputs[k].shape()[0]};
    extents.insert(extents.end(), one.begin(), one.end());
    inputs[0] = broadcast_to(inputs[0], Shape(std::move(extents)));
  }
  return x[0].tape().record(checkpoint_op, inputs, {}, Where{});  // which may be another than that of c
}

}  // namespace

// y = x, as far as values go
constinit const Op again_op{
    .name = "again",
    .inputs = {"x"},
    .formula = "y = x; what is recorded on y is computed though the same was on x",
    .jacobian = "I",
    .structure = Structure::identity,
    .view = true,
    .infer = [](const Call& c) { return c.type(0); },
    .block = kernels::copy,
    .vjp = {[](const Call&, Var g) { return g; }},
    .jvp = {[](const Call&, Var t) { return t; }},
};

Var again(Var x, Where where) { return x.tape().record(again_op, {x}, {}, where); }

// value = y, as far as values go
constinit const Op checkpoint_op{
    .name = "checkpoint",
    .inputs = {"y", "x..."},
    .formula = "y; on the way back computed again from x0, x1, ...",
    .jacobian = "I in y",
    .structure = Structure::identity,
    .view = true,
    .infer = [](const Call& c) { return c.type(0); },
    .eval = [](const Eval& e) { std::memcpy(e.y.data, e.x[0].data, byte_size(e.y.dtype, e.y.numel())); },
    .jvp = [](const Call&, Var t, std::size_t k) { return k == 0 ? t : Var{}; },
    .batch = on_batches,
    .recompute = record_region,
};

std::vector<std::uint32_t> checkpointed(const Call& checkpoint) {
  std::unordered_set<std::uint32_t> boundary;
  for (std::size_t k = 1; k < checkpoint.arity(); ++k) boundary.insert(checkpoint[k].index());
  return way_back(checkpoint.tape, checkpoint[0].index(),
                  [&](std::uint32_t i) { return boundary.contains(i); });
}

Var checkpoint_since(std::size_t first, Var y, std::span<const Var> xs, Where where) {
  Tape& tape = y.tape();
  if (y.index() < first || is_leaf(*tape.node(y).op)) return y;  // nothing to compute again
  std::vector<Var> inputs{y};
  inputs.insert(inputs.end(), xs.begin(), xs.end());
  std::vector<std::uint32_t> captured;
  way_back(tape, y.index(), [&](std::uint32_t i) {
    const bool outside = i < first;
    if (outside && std::find(xs.begin(), xs.end(), tape.var(i)) == xs.end()) captured.push_back(i);
    return outside;
  });
  std::sort(captured.begin(), captured.end());
  for (std::uint32_t i : captured) inputs.push_back(tape.var(i));
  return tape.record(checkpoint_op, inputs, {}, where);
}

Var checkpoint_sequential(std::span<const std::function<Var(Var)>> layers, Var x, std::int64_t segments,
                          Where where) {
  const std::size_t n = layers.size();
  if (segments < 0 || static_cast<std::size_t>(segments) > n) {
    throw ValueError("checkpoint_sequential: " + std::to_string(segments) + " segments of " +
                     std::to_string(n) + " layers");
  }
  const auto root = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(n))));
  const std::size_t count = segments == 0 ? root : static_cast<std::size_t>(segments);
  return all_or_nothing(x.tape(), [&] {
    Var y = x;
    for (std::size_t s = 0; s < count; ++s) {
      const auto segment = [&](Var v) {
        for (std::size_t k = s * n / count; k < (s + 1) * n / count; ++k) v = layers[k](v);
        return v;
      };
      y = checkpoint(segment, Operand(y, where));
    }
    return y;
  });
}

}  // namespace backdrop
