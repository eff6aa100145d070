#pragma once

#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <utility>

namespace backdrop {

/// Both operands as Vars of one shape: a number becomes a constant of the other's type, and broadcasts are
/// recorded. Throws ShapeError naming `op`, or ValueError when neither is a Var.
std::pair<Var, Var> operands(const char* op, const Operand& a, const Operand& b, Where where);

/// Records an op of two inputs and no attributes on its operands, as above. A failure leaves nothing behind.
Var record_binary(const Op& op, const Operand& a, const Operand& b, Where where);

}  // namespace backdrop
