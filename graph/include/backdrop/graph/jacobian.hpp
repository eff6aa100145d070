#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/format.hpp>
#include <backdrop/graph/program.hpp>
#include <optional>
#include <string>
#include <vector>

/// Jacobians as values. All of these work on a private copy: the tape and its Variables stay as they are.
/// Random nodes have the bits of the given step.
namespace backdrop {

/// The Jacobian of one application of an op in one of its inputs, as the structure that the op declares.
struct LocalJacobian {
  Structure structure = Structure::dense;
  std::size_t input = 0;  ///< which input of the op
  Tensor values;  ///< diagonal, identity: the diagonal, as y; otherwise [elements of y, elements of x]

  /// [elements of y, elements of x], whatever the structure.
  Tensor dense() const;
};

/// "diag(2, 0, 2, 0)", "identity(4)", or the rows of a matrix.
std::string to_string(const LocalJacobian& jacobian);

/// dy/dx of one node, in input `input` of its op (by default the first that has a derivative), computed by
/// the op's own rules from unit cotangents. Throws GraphError when the op has no such derivative.
LocalJacobian local_jacobian(Var node, std::optional<std::size_t> input = std::nullopt,
                             const ValueOptions& options = {});

/// dy/dx as it follows from what the ops of the recording declare: y and x cut into equal runs, of which run
/// b of y depends on run b of x alone. An elementwise chain, dropout included, gives a diagonal, for the
/// price of one vjp; independent rows of a batch give a block for each.
struct BlockJacobian {
  std::size_t blocks = 1;
  Tensor values;  ///< [elements of y, elements of x / blocks]: each row within its block

  Structure structure() const;
  /// [elements of y, elements of x]
  Tensor dense() const;
};
BlockJacobian block_jacobian(Var y, Var x, const ValueOptions& options = {});

/// dy/dx without the entries that what the ops declare shows to be 0, in compressed rows (CSR): of row r, the
/// elements of y, `values` [row_begin[r], row_begin[r + 1]) stand in `column`, elements of x in order.
struct SparseJacobian {
  std::size_t rows = 0, columns = 0;
  std::vector<std::size_t> row_begin{0}, column;
  Tensor values;           ///< [entries]
  std::size_t passes = 0;  ///< products with the Jacobian that it took

  /// [rows, columns]
  Tensor dense() const;
};
/// Columns that share no row are computed together, in one jvp, or rows that share no column in one vjp: a
/// tridiagonal Jacobian takes three passes. Greedy colouring in order, after Curtis, Powell and Reid (1974).
SparseJacobian sparse_jacobian(Var y, Var x, const ValueOptions& options = {});
/// The same of the gradient of a scalar y: d2y/dx2.
SparseJacobian sparse_hessian(Var y, Var x, const ValueOptions& options = {});

/// dy/dx, of shape y.shape + x.shape: by rows (vjp) or by columns (jvp), whichever are fewer, those of all
/// independent blocks at once, or compressed as sparse_jacobian does; compiled once.
Tensor jacobian(Var y, Var x, const ValueOptions& options = {});

/// d2y/dx2 of a scalar y, of shape x.shape + x.shape, by columns: forward over reverse.
Tensor hessian(Var y, Var x, const ValueOptions& options = {});

}  // namespace backdrop

template <>
struct fmt::formatter<backdrop::LocalJacobian> : backdrop::AsText<backdrop::LocalJacobian> {};
