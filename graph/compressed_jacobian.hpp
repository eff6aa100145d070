#pragma once

#include <backdrop/graph/jacobian.hpp>
#include <optional>

#include "replay.hpp"

namespace backdrop {

/// dy/dx of nodes of the replay's tape, x among its inputs, in at most `most` products with the Jacobian.
/// None when more are needed, or its pattern is too large to find out.
std::optional<SparseJacobian> compressed_jacobian(const Replay& replay, Var y, Var x, std::size_t most);

}  // namespace backdrop
