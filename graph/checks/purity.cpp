#include <fmt/format.h>

#include <algorithm>
#include <backdrop/core/op.hpp>
#include <cmath>

#include "checking.hpp"
#include "passes/passes.hpp"
#include "same_node.hpp"

namespace backdrop::checking {

namespace {

struct Change {
  std::size_t output, element;
  double before, after;
};

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

// The first output with other bits in a second run. The first keeps its memory meanwhile, so that the second
// computes also what is computed once for each memory.
std::optional<Change> first_change(const std::vector<Var>& outputs, const ValueOptions& at) {
  const Program program = compile(outputs[0].tape(), {.outputs = outputs});
  const RunOptions options{.step = at.step, .threads = at.threads};
  const Outputs before = program.run(at.feeds, options), after = program.run(at.feeds, options);
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const Tensor &a = before[k], &b = after[k];
    if (a.same_bits(b)) continue;
    std::size_t i = 0;
    while (i + 1 < a.numel() && same(a.at(i), b.at(i))) ++i;
    return Change{k, i, a.at(i), b.at(i)};
  }
  return std::nullopt;
}

std::string text(Key key) { return fmt::format("Key{{{}, {}}}", key.seed, key.stream); }

// How node i of one recording differs from that of the other.
std::string difference(const Tape& a, const Tape& b, std::size_t i) {
  const Node &x = a.node(i), &y = b.node(i);
  const std::string what = subject(a.var(i));
  if (x.op != y.op) return fmt::format("{} is {} when it is recorded again", what, subject(b.var(i)));
  for (std::size_t k = 0; k < x.op->attr_count(); ++k) {
    const AttrValue u = a.attribute(x, k), v = b.attribute(y, k);
    if (u.kind != AttrKind::key || u.key == v.key) continue;
    return fmt::format("{} draws from {}, and from {} when it is recorded again; take the key outside of f",
                       what, text(u.key), text(v.key));
  }
  const char* holds = is_leaf(*x.op) ? "holds other values" : "has other attributes, inputs or another type";
  return fmt::format("{} {} when it is recorded again", what, holds);
}

}  // namespace

std::string subject(Var v) {
  const Node& node = v.tape().node(v);
  const Where where = v.tape().where(node);
  std::string out = std::string(node.op->name) + " at " + where.file + ":" + std::to_string(where.line);
  if (!v.name().empty()) out.insert(0, std::string(v.name()) + ", ");
  return out;
}

std::string changed_when_evaluated(std::span<const Var> roots, const ValueOptions& at) {
  if (!first_change({roots.begin(), roots.end()}, at)) return "";
  const Rewrite needed = passes::prune(roots[0].tape(), roots);
  std::vector<Var> all;
  for (std::size_t i = 0; i < needed.tape().size(); ++i) {
    if (!is_leaf(*needed.tape().node(i).op)) all.push_back(needed.tape().var(i));
  }
  const std::optional<Change> change = first_change(all, at);
  if (!change) return subject(roots[0]) + " has other bits when it is evaluated again, though not always";
  return fmt::format(
      "element {} of {} is {}, and {} when it is evaluated again: its kernel draws bits or "
      "keeps a state",
      change->element, subject(all[change->output]), change->before, change->after);
}

std::string changed_when_recorded(Var a, Var b) {
  const Rewrite first = passes::prune(a.tape(), {&a, 1}), second = passes::prune(b.tape(), {&b, 1});
  const Tape &x = first.tape(), &y = second.tape();
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (!same_node(x, x.node(i), y, y.node(i))) return difference(x, y, i);
  }
  if (x.size() != y.size()) {
    return fmt::format("{} stands on {} nodes, and on {} when it is recorded again", subject(a), x.size(),
                       y.size());
  }
  return "";
}

}  // namespace backdrop::checking
