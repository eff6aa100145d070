#include "mutants/mutant.hpp"

#include <algorithm>
#include <backdrop/backdrop.hpp>
#include <numeric>

namespace backdrop {

namespace {

constexpr std::size_t kMostSites = 4;

bool has_rule(const Rules& rules, std::size_t k) {
  switch (rules.word) {
    case Rules::Word::per_input:
      return rules.each[k] != nullptr && rules.each[k] != zero;
    case Rules::Word::for_every:
    case Rules::Word::linear:
    case Rules::Word::multilinear:
      return true;
    default:
      return false;
  }
}

Var right_product(const Op& op, const Rules& rules, const Call& c, Var v, std::size_t k) {
  switch (rules.word) {
    case Rules::Word::per_input:
      return rules.each[k](c, v);
    case Rules::Word::for_every:
      return rules.every(c, v, k);
    case Rules::Word::multilinear:
      return c.with_input(k, v);
    case Rules::Word::linear: {
      std::vector<Var> tangents;
      for (std::size_t i = 0; i < c.arity(); ++i) tangents.push_back(i == k ? v : full_like(c[i], 0));
      return c.tape.record_again(c.tape, c.y.index(), tangents);
    }
    default:
      throw GraphError(std::string(op.name) + ": no rule to make a mutant of");
  }
}

bool is_any(const Op* op, std::initializer_list<const Op*> ops) {
  return std::find(ops.begin(), ops.end(), op) != ops.end();
}

// Whether the fault can strike node i, and what then stands in its place.
bool strikes(Fault fault, const Node& node) {
  switch (fault) {
    case Fault::term_dropped:
      return is_any(node.op, {&add_op, &sub_op});
    case Fault::factor_dropped:
      return is_any(node.op, {&mul_op, &div_op, &scale_op});
    case Fault::operands_swapped:
      return is_any(node.op, {&sub_op, &div_op, &where_op});
    default:
      return false;
  }
}
Var struck(Tape& tape, std::size_t index, Fault fault, std::vector<Var> inputs) {
  const Node& node = tape.node(index);
  if (fault != Fault::operands_swapped) return inputs[0];
  std::swap(inputs[inputs.size() - 2], inputs[inputs.size() - 1]);
  return tape.record(*node.op, inputs, std::vector<AttrValue>{}, Where::here());
}

// What the rule recorded from `begin` on, again, with the fault at one node.
Var recorded_wrongly(const Mutant& m, Tape& tape, std::size_t begin, Var result) {
  std::size_t site = m.site;
  std::vector<Var> now(tape.size());
  const std::size_t end = tape.size();
  for (std::size_t i = begin; i < end; ++i) {
    const Node& node = tape.node(i);
    std::vector<Var> inputs;
    for (std::uint32_t input : node.inputs()) {
      inputs.push_back(input >= begin && now[input] ? now[input] : tape.var(input));
    }
    if (is_leaf(*node.op)) {
      now[i] = tape.var(i);
    } else if (strikes(m.fault, node) && site-- == 0) {
      now[i] = struck(tape, i, m.fault, inputs);
    } else {
      now[i] = tape.record_again(tape, i, inputs);
    }
  }
  return result.index() >= begin ? now[result.index()] : result;
}

Var turned(Var v) {
  const Shape& shape = v.shape();
  const std::size_t rank = shape.rank();
  if (rank >= 2) return reshape(swap_axes(v, -1, -2), shape);
  return rank == 1 ? slice(v, {-1}, {kBegin}, {-1}) : v;
}

// y = x, with derivative 1.001
constinit const Op wrongly_differentiated{
    .name = "wrongly_differentiated",
    .inputs = {"x"},
    .infer = [](const Call& c) { return c.type(0); },
    .vjp = {[](const Call&, Var g) { return scale(g, 1.001); }},
    .jvp = {[](const Call&, Var t) { return scale(t, 1.001); }},
    .body = [](const Call& c) { return scale(c[0], 1); },
};

Var spoiled(const Mutant& m, Tape& tape, std::size_t begin, Var v) {
  switch (m.fault) {
    case Fault::factor_1001:
      return scale(v, 1.001);
    case Fault::wrong_sign:
      return neg(v);
    case Fault::transposed:
      return turned(v);
    case Fault::vanished:
      return full_like(v, 0);
    case Fault::second_order:
      return tape.record(wrongly_differentiated, {v}, {}, Where::here());
    default:
      return recorded_wrongly(m, tape, begin, v);
  }
}

// The rules that a mutant has; one that is not meant to be wrong does what the original's does.
template <Place kPlace>
Var product(const Call& c, Var v, std::size_t k) {
  const auto& m = static_cast<const Mutant&>(*c.node.op);
  const Op& op = *m.original;
  const std::size_t begin = c.tape.size();
  if (m.place == Place::both) {
    if (op.derivative.each[k] == nullptr) return Var{};
    Var local = op.derivative.each[k](c);
    if (m.input == k && local.dtype() != DType::mask) local = spoiled(m, c.tape, begin, local);
    return mul(v, local);
  }
  const Var out = right_product(op, kPlace == Place::vjp ? op.vjp : op.jvp, c, v, k);
  return out && m.input == k && m.place == kPlace ? spoiled(m, c.tape, begin, out) : out;
}

std::unique_ptr<Mutant> make(const Op& op, Place place, std::size_t input, Fault fault, std::size_t site) {
  auto m = std::make_unique<Mutant>();
  static_cast<Op&>(*m) = op;
  m->original = &op;
  m->place = place;
  m->input = input;
  m->fault = fault;
  m->site = site;
  m->exact = false;
  if (place != Place::jvp) m->vjp = RuleAt{product<Place::vjp>};
  if (place != Place::vjp) m->jvp = RuleAt{product<Place::jvp>};
  m->derivative = {};
  return m;
}

}  // namespace

std::string_view name(Fault fault) {
  constexpr std::string_view kNames[] = {"term dropped", "factor dropped", "operands swapped",
                                         "factor 1.001", "wrong sign",     "transposed",
                                         "vanished",     "second order"};
  return kNames[static_cast<std::size_t>(fault)];
}

std::vector<std::unique_ptr<Mutant>> mutants_of(const Op& op) {
  std::vector<std::unique_ptr<Mutant>> out;
  const auto add = [&](Place place, std::size_t k) {
    for (std::size_t f = 0; f < kFaults; ++f) {
      const auto fault = static_cast<Fault>(f);
      const std::size_t sites = fault <= Fault::operands_swapped ? kMostSites : 1;
      for (std::size_t site = 0; site < sites; ++site) out.push_back(make(op, place, k, fault, site));
    }
  };
  for (std::size_t k = 0; k < op.arity(); ++k) {
    if (op.derivative.each[k] != nullptr) {
      add(Place::both, k);
      continue;
    }
    if (has_rule(op.vjp, k)) add(Place::vjp, k);
    if (has_rule(op.jvp, k)) add(Place::jvp, k);
  }
  return out;
}

void mutate(const Case& from, const Mutant& mutant, Mutated& out) {
  const Tape& tape = from.y.tape();
  std::vector<Var> now;
  for (std::size_t i = 0; i <= from.y.index(); ++i) {
    const Node& node = tape.node(i);
    std::vector<Var> inputs;
    if (!is_leaf(*node.op)) {
      for (std::uint32_t input : node.inputs()) inputs.push_back(now[input]);
    }
    if (i == from.at) {
      std::vector<AttrValue> attrs;
      for (std::size_t k = 0; k < mutant.attr_count(); ++k) attrs.push_back(tape.attribute(node, k));
      now.push_back(out.tape.record(mutant, inputs, attrs, Where::here()));
    } else {
      now.push_back(out.tape.record_again(tape, i, inputs));
    }
  }
  out.y = now[from.y.index()];
  for (Var x : from.maker.differentiable()) out.xs.push_back(now[x.index()]);
}

double damage(Case& right, const Mutated& wrong, const Mutant& mutant) {
  const std::vector<Var> xs = right.maker.differentiable();
  const bool forward = mutant.place == Place::jvp;
  const auto derivatives = [&](Var y, std::span<const Var> at, std::span<const Var> directions) {
    if (forward) return std::vector<Var>{jvp(y, at, directions)};
    std::vector<Var> first = vjp(y, at, directions[0]);
    if (mutant.fault != Fault::second_order) return first;
    Var total;
    for (Var v : first) total = total ? add(total, sum(square(v))) : sum(square(v));
    return grad(total, at);
  };
  std::vector<Var> mine, theirs;
  for (Var x : xs) mine.push_back(right.direction(forward ? x : right.y));
  for (Var v : mine) theirs.push_back(wrong.y.tape().record_again(right.tape(), v.index(), {}));
  const std::vector<Tensor> expected = values(right, derivatives(right.y, xs, mine));
  const std::vector<Tensor> found = values(right, derivatives(wrong.y, wrong.xs, theirs));
  double largest = 0;
  for (std::size_t k = 0; k < expected.size(); ++k) {
    largest = std::max(largest, distance(found[k], expected[k], 1));
  }
  return largest;
}

}  // namespace backdrop
