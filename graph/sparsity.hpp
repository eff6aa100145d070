#pragma once

#include <backdrop/core/tape.hpp>
#include <backdrop/graph/program.hpp>
#include <cstdint>
#include <optional>
#include <vector>

namespace backdrop {

/// Which entries of a Jacobian may be other than 0. Rows that are alike share one set of columns.
struct Sparsity {
  std::size_t columns = 0;
  std::vector<std::uint32_t> set_of_row;
  std::vector<std::vector<std::uint32_t>> sets;  ///< columns, sorted

  std::size_t rows() const { return set_of_row.size(); }
  const std::vector<std::uint32_t>& row(std::size_t r) const { return sets[set_of_row[r]]; }
  std::size_t entries() const;
  Sparsity transposed() const;
};

/// The pattern of dy/dx, as it follows from what the ops declare, composites looked into. `feeds` are values
/// for the inputs of the tape: where indices come from. None when it would take too much memory to find out.
std::optional<Sparsity> sparsity(Var y, Var x, const std::vector<Feed>& feeds);

/// Columns, or rows, that are computed together: those of one colour. No two columns of one colour have an
/// entry in the same row.
struct Compression {
  bool by_rows = false;
  std::vector<std::uint32_t> colours;  ///< of each row or column
  std::size_t count = 0;               ///< of colours: products with the Jacobian that are needed
};
/// Colourings of the columns and of the rows, first what seems to need fewer colours; without those that need
/// more than `most`. Greedy, in order: Curtis, Powell and Reid, "On the estimation of sparse Jacobian
/// matrices", J. Inst. Maths Applics 13 (1974).
std::vector<Compression> compress(const Sparsity& pattern, std::size_t most);

}  // namespace backdrop
