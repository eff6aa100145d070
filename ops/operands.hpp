#pragma once

#include <backdrop/ops/arithmetic.hpp>
#include <utility>

namespace backdrop {

/// Both operands as Vars of one shape: a number becomes a constant of the other's type, and broadcasts are
/// recorded. Throws ShapeError naming `op`, or ValueError when neither is a Var.
std::pair<Var, Var> operands(const char* op, Operand a, Operand b, Where where);

/// Records an op of two inputs and no attributes on its operands, as above. A failure leaves nothing behind.
Var record_binary(const Op& op, Operand a, Operand b, Where where);

/// Calls `record`, and drops the nodes it had recorded when it throws: for functions that record several.
template <class Record>
Var all_or_nothing(Tape& tape, Record record) {
  const Tape::Mark before = tape.mark();
  try {
    return record();
  } catch (...) {
    tape.rewind(before);
    throw;
  }
}

}  // namespace backdrop
