#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/matmul.hpp>
#include <string>
#include <vector>

#include "kernels/matmul.hpp"
#include "parts/batched.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr auto transpose_a = attr::boolean("transpose_a").or_else(false);
constexpr auto transpose_b = attr::boolean("transpose_b").or_else(false);

MatmulOptions options_of(const Call& c) { return {c[transpose_a], c[transpose_b]}; }

Type infer_add_product(const Call& c) {
  infer::require_float(c, 0);
  for (std::size_t k = 1; k < 4; ++k) infer::require_dtype(c, k, c.dtype(0), ", as 'c' is; cast one of them");
  const Shape &y = c.shape(0), &a = c.shape(2), &b = c.shape(3);
  const std::size_t rank = y.rank();
  const auto fits = [&] {
    if (c.shape(1).rank() != 0 || rank < 2 || a.rank() != rank || b.rank() != rank) return false;
    for (std::size_t k = 0; k + 2 < rank; ++k) {
      if (a[k] != y[k] || b[k] != y[k]) return false;
    }
    const std::size_t rows = rank - 2, columns = rank - 1;
    return a[c[transpose_a] ? columns : rows] == y[rows] &&
           b[c[transpose_b] ? rows : columns] == y[columns] &&
           a[c[transpose_a] ? rows : columns] == b[c[transpose_b] ? columns : rows];
  };
  if (!fits()) {
    throw ShapeError("add_product: c " + to_string(y) + " + s " + to_string(c.shape(1)) + " * a " +
                     to_string(a) + " x b " + to_string(b) +
                     ": s must have rank 0, and the product the shape of c");
  }
  return c.type(0);
}

}  // namespace

// y = c + s op(a) op(b)
constinit const Op add_product_op{
    .name = "add_product",
    .inputs = {"c", "s", "a", "b"},
    .attrs = {transpose_a, transpose_b},
    .formula = "y = c + s op(a) op(b), op the identity or the transpose of the last two axes",
    .jacobian = "[I, op(a) op(b), s times those of matmul]",
    .in_place = true,
    .infer = infer_add_product,
    .eval = [](const Eval& e) { kernels::add_product(e, e[transpose_a], e[transpose_b]); },
    .body =
        [](const Call& c) {
          const Var product = matmul(c[2], c[3], options_of(c));
          return add(c[0], mul(broadcast_to(c[1], c.shape(0)), product));
        },
    .batch =
        [](const Call& c, std::span<const Var> x) {
          const std::vector<Var> all = batched::all(c, x);
          if (!batched::is(c, x, 1)) return add_product(all[0], x[1], all[2], all[3], options_of(c));
          std::vector<std::int64_t> ones(all[0].shape().rank(), 1);
          ones[0] = batched::size(c, x);
          const Var s = broadcast_to(reshape(x[1], ones), all[0].shape());
          return add(all[0], mul(s, matmul(all[2], all[3], options_of(c))));
        },
    .tolerance = 64,
};

Var add_product(Var c, Var s, Var a, Var b, MatmulOptions options, Where where) {
  return c.tape().record(add_product_op, {c, s, a, b}, {options.transpose_a, options.transpose_b}, where);
}

}  // namespace backdrop
