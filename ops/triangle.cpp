#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/create.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>

#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr double kMost = 0x1p52;  // positions are computed in f64
constexpr auto k = attr::integer("k").between(-kMost, kMost).or_else(0);

Type infer_triangle(const Call& c) {
  infer::require_number(c, 0);
  if (c.shape(0).rank() < 2) {
    throw ShapeError(std::string(c.name()) + ": " + to_string(c.shape(0)) + " is no matrix; reshape it");
  }
  return c.type(0);
}

// Position minus k of every row, as a column, and that of every column, as a row.
struct Positions {
  Var row, column;
};
Positions positions(const Call& c) {
  const Shape& shape = c.shape(0);
  const std::int64_t rows = shape[shape.rank() - 2], columns = shape[shape.rank() - 1];
  const Var row = arange(c.tape, rows, static_cast<double>(c[k]));
  return {unsqueeze(row, 1), arange(c.tape, columns)};
}

}  // namespace

// y = x on and below diagonal k
constinit const Op tril_op{
    .name = "tril",
    .inputs = {"x"},
    .attrs = {k},
    .formula = "y[..., i, j] = x[..., i, j] where j - i <= k, else 0",
    .jacobian = "diag(j - i <= k)",
    .infer = infer_triangle,
    .vjp = {[](const Call& c, Var g) { return tril(g, c[k]); }},
    .jvp = rule::linear,
    .body =
        [](const Call& c) {
          const Positions at = positions(c);
          return mul(c[0], less_equal(at.column, at.row));
        },
};

// y = x on and above diagonal k
constinit const Op triu_op{
    .name = "triu",
    .inputs = {"x"},
    .attrs = {k},
    .formula = "y[..., i, j] = x[..., i, j] where j - i >= k, else 0",
    .jacobian = "diag(j - i >= k)",
    .infer = infer_triangle,
    .vjp = {[](const Call& c, Var g) { return triu(g, c[k]); }},
    .jvp = rule::linear,
    .body =
        [](const Call& c) {
          const Positions at = positions(c);
          return mul(c[0], greater_equal(at.column, at.row));
        },
};

Var tril(Var x, std::int64_t diagonal, Where where) {
  return x.tape().record(tril_op, {x}, {diagonal}, where);
}
Var triu(Var x, std::int64_t diagonal, Where where) {
  return x.tape().record(triu_op, {x}, {diagonal}, where);
}

}  // namespace backdrop
