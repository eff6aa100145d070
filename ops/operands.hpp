#pragma once

#include <backdrop/ops/arithmetic.hpp>
#include <utility>

namespace backdrop {

/// Both operands as Vars of one shape: a number becomes a constant of the other's type, and broadcasts are
/// recorded. Throws ShapeError naming `op`, or ValueError when neither is a Var.
std::pair<Var, Var> operands(const char* op, Operand a, Operand b, Where where);

}  // namespace backdrop
