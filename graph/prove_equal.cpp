#include <fmt/format.h>

#include <algorithm>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/prove_equal.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <ostream>
#include <vector>

#include "passes/passes.hpp"
#include "proof/normal_form.hpp"

namespace backdrop {

namespace {

using proof::Id;

// What the roots need, without composites.
struct Opened {
  Rewrite pruned, expanded;

  Opened(const Tape& tape, std::span<const Var> roots)
      : pruned(passes::prune(tape, roots)), expanded(expand(pruned.tape())) {}
  const Tape& tape() const { return expanded.tape(); }
  std::uint32_t operator()(Var v) const { return expanded(pruned(v)).index(); }
};

std::map<std::string, std::optional<Variable>> variables_by_name(const Tape& tape) {
  std::map<std::string, std::optional<Variable>> out;  // nullopt: more than one has that name
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (tape.node(i).op != &variable_op) continue;
    const Variable& variable = tape.variable_of(tape.node(i));
    const auto [at, fresh] = out.try_emplace(variable.name(), variable);
    if (!fresh && at->second != variable) at->second.reset();
  }
  return out;
}

// Variables of b and those of a that they stand for.
std::map<const void*, const void*> same_variables(const Tape& a, const Tape& b) {
  std::map<const void*, const void*> out;
  const auto ours = variables_by_name(a);
  for (const auto& [name, theirs] : variables_by_name(b)) {
    const auto found = ours.find(name);
    if (!theirs || found == ours.end() || !found->second) continue;
    if (found->second->value().same_bits(theirs->value()))
      out[theirs->identity()] = found->second->identity();
  }
  return out;
}

struct Side {
  const Tape* tape;
  const std::vector<Id>* values;

  const Node& node(std::uint32_t index) const { return tape->node(index); }
  Id value(std::uint32_t index) const { return (*values)[index]; }
};

// Walks down two nodes that differ while they are computed alike and inputs of them differ.
class Walk {
 public:
  Walk(proof::NormalForm& form, Side a, Side b) : form_(form), a_(a), b_(b) {}

  void from(std::uint32_t x, std::uint32_t y) {
    x_ = x;
    y_ = y;
    while (step()) {
    }
  }
  std::uint32_t x() const { return x_; }
  std::uint32_t y() const { return y_; }
  const std::string& why() const { return why_; }

 private:
  bool same_attributes() {
    const Node &x = a_.node(x_), &y = b_.node(y_);
    for (std::size_t k = 0; k < x.op->attr_count(); ++k) {
      const AttrValue p = a_.tape->attribute(x, k), q = b_.tape->attribute(y, k);
      if (p.kind == q.kind && p.bits == q.bits && p.key == q.key && std::ranges::equal(p.ints, q.ints))
        continue;
      why_ = fmt::format("they have another {}", x.op->attrs[k].name);
      if (const std::string found = difference(); found.find("rounding") != std::string::npos) why_ = found;
      return false;
    }
    return true;
  }

  // An input that has the value of the node itself: a cast, a broadcast to the same shape.
  static bool skip(const Side& side, std::uint32_t& at) {
    for (std::uint32_t input : side.node(at).inputs()) {
      if (side.value(input) != side.value(at)) continue;
      at = input;
      return true;
    }
    return false;
  }

  bool step() {
    const Node &x = a_.node(x_), &y = b_.node(y_);
    if (x.op != y.op || x.arity != y.arity) {
      if (skip(a_, x_) || skip(b_, y_)) return true;
      why_ = difference();
      return false;
    }
    if (!same_attributes()) return false;
    const auto p = x.inputs(), q = y.inputs();
    if (p.size() == 2 && a_.value(p[0]) == b_.value(q[1]) && a_.value(p[1]) == b_.value(q[0])) {
      why_ = "their operands are swapped";
      return false;
    }
    if (p.size() == 2 && (x.op == &add_op || x.op == &mul_op)) {
      if (a_.value(p[0]) == b_.value(q[1])) return to(p[1], q[0]);
      if (a_.value(p[1]) == b_.value(q[0])) return to(p[0], q[1]);
    }
    for (std::size_t k = 0; k < p.size(); ++k) {
      if (a_.value(p[k]) != b_.value(q[k])) return to(p[k], q[k]);
    }
    why_ = is_leaf(*x.op) ? "they are different leaves" : difference();
    return false;
  }

  bool to(std::uint32_t x, std::uint32_t y) {
    x_ = x;
    y_ = y;
    return true;
  }

  // In terms of the normal forms, where one is a multiple of the other or has terms that the other lacks.
  std::string difference() const {
    const proof::Algebra& algebra = form_.algebra();
    const auto &x = algebra.value(a_.value(x_)).terms, &y = algebra.value(b_.value(y_)).terms;
    std::size_t common = 0;
    double ratio = NAN;
    bool multiple = x.size() == y.size() && !x.empty();
    for (const proof::Term& term : x) {
      const auto other = std::ranges::find(y, term.product, &proof::Term::product);
      multiple = multiple && other != y.end();
      if (other == y.end()) continue;
      ++common;
      const double quotient = term.coefficient.rounded() / other->coefficient.rounded();
      multiple = multiple && (std::isnan(ratio) || std::abs(quotient - ratio) <= 4e-16 * std::abs(ratio));
      ratio = quotient;
    }
    if (multiple && ratio == -1) return "they differ in sign";
    if (multiple && std::abs(ratio - 1) < 1e-15) return "they differ by no more than the rounding of factors";
    if (multiple) return fmt::format("the first is {:.6g} times the second", ratio);
    if (common == x.size() || common == y.size() || common > 0) {
      return fmt::format("{} of the {} terms of the first are terms of the second, which has {}", common,
                         x.size(), y.size());
    }
    return "no term of the first is one of the second";
  }

  proof::NormalForm& form_;
  Side a_, b_;
  std::uint32_t x_ = 0, y_ = 0;
  std::string why_;
};

Proof::Place place(const proof::NormalForm& form, const Side& side, std::uint32_t index) {
  const Node& node = side.node(index);
  Proof::Place out;
  out.op = node.op->name;
  for (std::uint32_t call = node.call; call != 0; call = side.tape->opened(call).node.call) {
    out.op += fmt::format(" in {}", side.tape->opened(call).node.op->name);
  }
  out.name = side.tape->name(index);
  const Where where = side.tape->where(node);
  if (where.line != 0) out.source = fmt::format("{}:{}", where.file, where.line);
  out.form = form.text(side.value(index));
  return out;
}

std::string text(const Proof::Place& place) {
  std::string out = place.name.empty() ? place.op : fmt::format("'{}' ({})", place.name, place.op);
  if (!place.source.empty()) out += " at " + place.source;
  return out;
}

}  // namespace

Proof prove_equal(Var a, Var b) {
  const bool one_tape = &a.tape() == &b.tape();
  const Var roots[] = {a, b};
  const Opened left(a.tape(), {roots, one_tape ? std::size_t{2} : std::size_t{1}});
  std::optional<Opened> other;
  if (!one_tape) other.emplace(b.tape(), std::span(roots + 1, 1));
  const Opened& right = one_tape ? left : *other;

  proof::NormalForm form;
  const std::vector<Id> left_values = form.of(left.tape());
  std::vector<Id> right_values;
  if (!one_tape) right_values = form.of(right.tape(), same_variables(left.tape(), right.tape()));
  const Side x{&left.tape(), &left_values}, y{&right.tape(), one_tape ? &left_values : &right_values};

  Proof out;
  out.a = place(form, x, left(a));
  out.b = place(form, y, right(b));
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) {
    out.why = fmt::format("one is {} {}, the other {} {}", to_string(a.dtype()), to_string(a.shape()),
                          to_string(b.dtype()), to_string(b.shape()));
    out.first_a = out.a;
    out.first_b = out.b;
    return out;
  }
  out.equal = x.value(left(a)) == y.value(right(b));
  if (out.equal) return out;
  Walk walk(form, x, y);
  walk.from(left(a), right(b));
  out.first_a = place(form, x, walk.x());
  out.first_b = place(form, y, walk.y());
  out.why = walk.why();
  return out;
}

std::string to_string(const Proof& proof) {
  std::string out;
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "{} and {}: {}\n", text(proof.a), text(proof.b),
                 proof.equal ? "proven equal" : "NOT PROVEN equal");
  if (proof.equal) {
    fmt::format_to(to, "  both are {}\n", proof.a.form);
    return out;
  }
  fmt::format_to(to, "  the first is  {}\n  the second is {}\n", proof.a.form, proof.b.form);
  fmt::format_to(to, "  first nodes that differ: {} and {}; {}\n", text(proof.first_a), text(proof.first_b),
                 proof.why);
  fmt::format_to(to, "    {}\n    {}\n", proof.first_a.form, proof.first_b.form);
  return out;
}

std::ostream& operator<<(std::ostream& out, const Proof& proof) { return out << to_string(proof); }

}  // namespace backdrop
