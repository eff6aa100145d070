#include "fuse.hpp"

#include <algorithm>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "uses.hpp"

namespace backdrop {

namespace {

bool same_attributes(const Tape& a, const Node& x, const Tape& b, const Node& y) {
  for (std::size_t k = 0; k < x.op->attr_count(); ++k) {
    const AttrValue u = a.attribute(x, k);
    const AttrValue v = b.attribute(y, k);
    if (u.bits != v.bits || !(u.key == v.key) || !std::ranges::equal(u.ints, v.ints)) return false;
  }
  return true;
}

// A fresh opening of a call on stand-ins for its inputs, beside the nodes that claim to be its body.
class Comparison {
 public:
  Comparison(const Tape& tape, const Tape::OpenedCall& call) : tape_(tape), call_(call) {
    std::vector<Var> inputs;
    for (std::uint32_t input : call.node.inputs()) inputs.push_back(stand_in(input));
    const std::uint32_t id = fresh_.declare_opened(tape, call.node, "", inputs, 0);
    first_ = fresh_.size();
    const Node& composite = fresh_.opened(id).node;
    result_ = composite.op->body(Call{fresh_, composite, Var{}});
  }

  // Which node of the body is its result, if the body is as the op would open it today.
  std::optional<std::uint32_t> result() const {
    const std::size_t count = fresh_.size() - first_;
    if (call_.end - call_.begin != count || result_.index() < first_) return std::nullopt;
    for (std::size_t k = 0; k < count; ++k) {
      if (!same(fresh_.node(first_ + k), tape_.node(call_.begin + k))) return std::nullopt;
    }
    return call_.begin + result_.index() - static_cast<std::uint32_t>(first_);
  }

 private:
  Var stand_in(std::uint32_t input) {
    for (const auto& [v, meant] : stand_ins_) {
      if (meant == input) return v;
    }
    const Node& node = tape_.node(input);
    const Var v = fresh_.input(std::to_string(input), tape_.shape(node.shape), node.dtype);
    stand_ins_.emplace_back(v, input);
    return v;
  }

  std::uint32_t meant(std::uint32_t fresh) const {
    if (fresh >= first_) return call_.begin + fresh - static_cast<std::uint32_t>(first_);
    return stand_ins_[fresh].second;
  }

  bool same(const Node& fresh, const Node& node) const {
    if (fresh.op != node.op || fresh.arity != node.arity || is_leaf(*node.op)) return false;
    for (std::size_t k = 0; k < node.arity; ++k) {
      if (meant(fresh.inputs()[k]) != node.inputs()[k]) return false;
    }
    return same_attributes(fresh_, fresh, tape_, node);
  }

  const Tape& tape_;
  const Tape::OpenedCall& call_;
  Tape fresh_;
  std::vector<std::pair<Var, std::uint32_t>> stand_ins_;  // stand-in k is node k
  std::size_t first_ = 0;
  Var result_;
};

// The result of an intact body whose inner nodes nothing outside uses.
std::optional<std::uint32_t> foldable(const Tape& tape, std::uint32_t id,
                                      const std::vector<std::uint32_t>& uses_of) {
  const Tape::OpenedCall& call = tape.opened(id);
  if (call.begin == call.end) return std::nullopt;
  std::vector<std::uint32_t> inside(call.end - call.begin, 0);
  for (std::uint32_t i = call.begin; i < call.end; ++i) {
    if (tape.node(i).call != id) return std::nullopt;
    for (std::uint32_t input : tape.node(i).inputs()) {
      if (input >= call.begin) ++inside[input - call.begin];
    }
  }
  const auto result = Comparison(tape, call).result();
  if (!result) return std::nullopt;
  for (std::uint32_t i = call.begin; i < call.end; ++i) {
    if (i != *result && uses_of[i] != inside[i - call.begin]) return std::nullopt;
  }
  return result;
}

// Folds the calls that hold no other open call; nothing when there are none.
std::optional<Rewrite> fold_innermost(const Tape& tape) {
  const std::vector<std::uint32_t> uses_of = uses(tape);
  std::vector<std::optional<std::uint32_t>> result(tape.opened_count() + 1);
  bool any = false;
  for (std::uint32_t id = 1; id <= tape.opened_count(); ++id) {
    result[id] = foldable(tape, id, uses_of);
    any = any || result[id].has_value();
  }
  if (!any) return std::nullopt;
  Rewrite out(tape);
  for (std::uint32_t i = 0; i < tape.size();) {
    const std::uint32_t id = tape.node(i).call;
    if (id == 0 || !result[id]) {
      out.copy(i++);
      continue;
    }
    out.close(id, *result[id]);
    i = tape.opened(id).end;
  }
  return out;
}

}  // namespace

Rewrite fuse(const Tape& tape, const FuseOptions& options) { return fuse(tape, options, Masks::any); }

Rewrite fuse(const Tape& tape, const FuseOptions& options, Masks masks) {
  auto folded = fold_innermost(tape);
  if (!folded) return fold_dropout(tape, options.relaxed, masks);
  while (auto again = fold_innermost(folded->tape())) folded = folded->then(std::move(*again));
  return folded->then(fold_dropout(folded->tape(), options.relaxed, masks));
}

}  // namespace backdrop
