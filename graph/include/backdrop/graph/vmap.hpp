#pragma once

#include <backdrop/core/tape.hpp>
#include <span>
#include <vector>

namespace backdrop {

/// ys, which were recorded for one value of each x, for n values at once: they lie along a new leading axis
/// of `many`, [n] + x.shape, and so do the results, [n] + y.shape. What does not depend on xs, random nodes
/// among it, is the same for all n. Every op is recorded once, on all values where it has a batch rule or is
/// elementwise, else as what its body records; an op with a kernel of its own and no rule is recorded for
/// each value by itself. Appends nodes to the tape of ys, which can be differentiated like any other. Throws
/// ShapeError and DTypeError when `many` does not fit xs, ValueError when an x is given twice.
std::vector<Var> vmap(std::span<const Var> ys, std::span<const Var> xs, std::span<const Var> many);
inline Var vmap(Var y, std::span<const Var> xs, std::span<const Var> many) {
  return vmap(std::span<const Var>(&y, 1), xs, many)[0];
}
inline Var vmap(Var y, Var x, Var many) {
  return vmap(y, std::span<const Var>(&x, 1), std::span<const Var>(&many, 1));
}

}  // namespace backdrop
