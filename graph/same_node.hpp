#pragma once

#include <backdrop/core/tape.hpp>

namespace backdrop {

/// Whether two nodes apply one op with equal attributes to inputs of equal numbers; of leaves, whether they
/// hold the same.
bool same_node(const Tape& a, const Node& x, const Tape& b, const Node& y);

}  // namespace backdrop
