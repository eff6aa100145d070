#pragma once

#include <backdrop/core/tape.hpp>
#include <span>
#include <vector>

namespace backdrop {

/// The largest B such that, with y and x cut into B equal runs of elements, run b of y depends on run b of x
/// alone: dy/dx is then a block diagonal matrix of B blocks. As many as there are elements: a diagonal
/// matrix, say of a chain of elementwise ops; as many as there are rows in a batch: one block for each row. 1
/// when nothing is known. Follows from what the ops declare; composites are looked into.
std::size_t independent_blocks(Var y, Var x);
/// For each of several xs.
std::vector<std::size_t> independent_blocks_of_each(Var y, std::span<const Var> xs);

}  // namespace backdrop
