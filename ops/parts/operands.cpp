#include "operands.hpp"

#include <backdrop/core/error.hpp>
#include <backdrop/ops/create.hpp>

#include "infer.hpp"

namespace backdrop {

namespace {

void require_a_var(const char* op, const Operand& a, const Operand& b) {
  if (!a.is_number() || !b.is_number()) return;
  throw ValueError(std::string(op) + ": neither operand is a Var; record one with tape.constant()");
}

Var record_on_operands(const Op& op, const Operand& a, const Operand& b, Where where) {
  require_a_var(op.name, a, b);
  Tape& tape = (a.is_number() ? b : a).var().tape();
  return all_or_nothing(tape, [&] {
    const auto [x, y] = operands(op.name, a, b, where);
    return tape.record(op, {x, y}, {}, where);
  });
}

}  // namespace

std::pair<Var, Var> operands(const char* op, const Operand& a, const Operand& b, Where where) {
  require_a_var(op, a, b);
  const Var x = a.is_number() ? full_like(b.var(), a.number(), where) : a.var();
  const Var y = b.is_number() ? full_like(a.var(), b.number(), where) : b.var();
  return broadcast_together(op, x, y, where);
}

Var record_binary(const Op& op, const Operand& a, const Operand& b, Where where) {
  if (a.is_number() || b.is_number()) return record_on_operands(op, a, b, where);
  Tape& tape = a.var().tape();
  tape.check(b.var());
  const bool one_shape = tape.node(a.var().index()).shape == tape.node(b.var().index()).shape;
  if (!one_shape) return record_on_operands(op, a, b, where);
  // Made anew from its parts: copied as a whole, a Var that was stored in two halves just now would have to
  // wait until both have reached the cache.
  const auto anew = [&tape](const Var& v) { return Var(&tape, v.index(), v.generation()); };
  return tape.record(op, {anew(a.var()), anew(b.var())}, {}, where);
}

}  // namespace backdrop
