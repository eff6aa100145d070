#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/matmul.hpp>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "kernels/matmul.hpp"
#include "parts/batched.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

namespace {

constexpr auto transpose_a = attr::boolean("transpose_a").or_else(false);
constexpr auto transpose_b = attr::boolean("transpose_b").or_else(false);

// Rows and columns of the last two axes, after transposition.
struct Matrix {
  std::int64_t rows, columns;
};
Matrix matrix(const Shape& shape, bool transposed) {
  const std::int64_t rows = shape[shape.rank() - 2], columns = shape[shape.rank() - 1];
  return transposed ? Matrix{columns, rows} : Matrix{rows, columns};
}

Shape joined(std::span<const std::int64_t> leading, std::initializer_list<std::int64_t> last) {
  std::vector<std::int64_t> extents(leading.begin(), leading.end());
  extents.insert(extents.end(), last);
  return Shape(std::move(extents), "matmul");
}

[[noreturn]] void throw_inner(const Shape& a, const Shape& b, Matrix x, Matrix y) {
  std::string text = "matmul: inner dimensions differ: " + to_string(a) + " x " + to_string(b);
  if (b.rank() > 1 && x.columns == y.columns) {
    text += "; transpose the second?";
  } else if (a.rank() > 1 && x.rows == y.rows) {
    text += "; transpose the first?";
  }
  throw ShapeError(text);
}

Type infer_matmul(const Call& c) {
  infer::require_float(c, 0);
  infer::require_dtype(c, 1, c.dtype(0), ", as 'a' is; cast one of them");
  const Shape &a = c.shape(0), &b = c.shape(1);
  const std::size_t rank = a.rank();
  if (rank < 2 || b.rank() != rank ||
      !std::ranges::equal(a.extents().first(rank - 2), b.extents().first(rank - 2))) {
    throw ShapeError("matmul: takes matrices with the same leading axes, not " + to_string(a) + " and " +
                     to_string(b));
  }
  const Matrix x = matrix(a, c[transpose_a]), y = matrix(b, c[transpose_b]);
  if (x.columns != y.rows) throw_inner(a, b, x, y);
  for (std::int64_t extent : {x.rows, x.columns, y.columns}) {
    if (extent > std::numeric_limits<std::int32_t>::max()) {
      throw ShapeError("matmul: " + to_string(a) + " x " + to_string(b) + " has an extent above 2^31 - 1");
    }
  }
  return {c.dtype(0), c.tape.intern(joined(a.extents().first(rank - 2), {x.rows, y.columns}))};
}

// The rows of a are worked on one by one, too.
std::size_t batch_axes(const Call& c, std::size_t input) {
  const std::size_t rank = c.y.shape().rank();
  return input == 0 && !c[transpose_a] ? rank - 1 : rank - 2;
}

void require_matrix(const char* which, const Shape& shape, bool transposed) {
  if (shape.rank() == 0) {
    throw ShapeError(std::string("matmul: ") + which + " is a scalar; use mul()");
  }
  if (shape.rank() == 1 && transposed) {
    throw ShapeError(std::string("matmul: ") + which + " is the vector " + to_string(shape) +
                     ", which has no transpose; reshape it to a matrix");
  }
}

// Operands of rank 2 and more. A stack of matrices times one matrix is one product: the stack's rows are
// laid one under another.
Var multiply(Var a, Var b, MatmulOptions options, Where where) {
  const std::size_t rank_a = a.shape().rank(), rank_b = b.shape().rank();
  if (rank_a > 2 && rank_b == 2 && !options.transpose_a) {
    const auto extents = a.shape().extents();
    const Var rows = reshape(
        a, {static_cast<std::int64_t>(Shape(extents.first(rank_a - 1)).numel()), extents.back()}, where);
    const Var y = multiply(rows, b, options, where);
    return reshape(y, joined(extents.first(rank_a - 1), {y.shape()[1]}), where);
  }
  const auto leading_a = a.shape().extents().first(rank_a - 2);
  const auto leading_b = b.shape().extents().first(rank_b - 2);
  if (!std::ranges::equal(leading_a, leading_b)) {
    const Shape leading = broadcast("matmul", Shape(leading_a), Shape(leading_b));
    const auto spread = [&](Var v) {
      const auto last = v.shape().extents().last(2);
      const Shape to = joined(leading.extents(), {last[0], last[1]});
      return v.shape() == to ? v : broadcast_to(v, to, where);
    };
    a = spread(a);
    b = spread(b);
  }
  return a.tape().record(matmul_op, {a, b}, {options.transpose_a, options.transpose_b}, where);
}

}  // namespace

// y = op(a) op(b)
// The rules only set flags: with X = op(a), Y = op(b), the cotangent of X is g Y' and that of Y is X' g;
// where op transposes, the transposed product is written out.
constinit const Op matmul_op{
    .name = "matmul",
    .inputs = {"a", "b"},
    .attrs = {transpose_a, transpose_b},
    .formula = "y = op(a) op(b), op the identity or the transpose of the last two axes",
    .jacobian = "[I (x) op(b)', op(a) (x) I]",
    .leading = batch_axes,
    .infer = infer_matmul,
    .eval = [](const Eval& e) { kernels::matmul(e, e[transpose_a], e[transpose_b]); },
    .vjp = {[](const Call& c, Var g) {
              const bool ta = c[transpose_a], tb = c[transpose_b];
              return ta ? matmul(c[1], g, {tb, true}) : matmul(g, c[1], {false, !tb});
            },
            [](const Call& c, Var g) {
              const bool ta = c[transpose_a], tb = c[transpose_b];
              return tb ? matmul(g, c[0], {true, ta}) : matmul(c[0], g, {!ta, false});
            }},
    .jvp = rule::multilinear,
    .batch =
        [](const Call& c, std::span<const Var> x) {
          return matmul(x[0], x[1], {c[transpose_a], c[transpose_b]});
        },
};

Var matmul(Var a, Var b, MatmulOptions options, Where where) {
  const Shape from_a = a.shape(), from_b = b.shape();
  require_matrix("the first operand", from_a, options.transpose_a);
  require_matrix("the second operand", from_b, options.transpose_b);
  const bool row = from_a.rank() == 1, column = from_b.rank() == 1;
  const Shape left = row ? Shape{1, from_a[0]} : from_a, right = column ? Shape{from_b[0], 1} : from_b;
  const Matrix x = matrix(left, options.transpose_a), y = matrix(right, options.transpose_b);
  if (x.columns != y.rows) throw_inner(from_a, from_b, x, y);
  return all_or_nothing(a.tape(), [&] {
    const Var product =
        multiply(row ? reshape(a, left, where) : a, column ? reshape(b, right, where) : b, options, where);
    if (!row && !column) return product;
    std::vector<std::int64_t> extents(product.shape().begin(), product.shape().end());
    if (column) extents.pop_back();
    if (row) extents.erase(extents.end() - (column ? 1 : 2));
    return reshape(product, Shape(std::move(extents)), where);
  });
}

}  // namespace backdrop
