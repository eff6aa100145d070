#include "operands.hpp"

#include <backdrop/core/error.hpp>
#include <backdrop/ops/create.hpp>

#include "infer.hpp"

namespace backdrop {

std::pair<Var, Var> operands(const char* op, Operand a, Operand b, Where where) {
  if (a.is_number() && b.is_number()) {
    throw ValueError(std::string(op) + ": neither operand is a Var; record one with tape.constant()");
  }
  const Var x = a.is_number() ? full_like(b.var(), a.number(), where) : a.var();
  const Var y = b.is_number() ? full_like(a.var(), b.number(), where) : b.var();
  return broadcast_together(op, x, y, where);
}

}  // namespace backdrop
