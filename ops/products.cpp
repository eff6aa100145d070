#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/matmul.hpp>
#include <string>

namespace backdrop {

namespace {

void require_rank(const char* what, Var v, std::size_t rank, const char* kind) {
  if (v.shape().rank() == rank) return;
  throw ShapeError(std::string(what) + ": " + to_string(v.shape()) + " is no " + kind);
}

// y + bias, for a bias over the last axis of y or none.
Var biased(const char* op, Var y, Var bias, Where where) {
  if (!bias) return y;
  const Shape& shape = y.shape();
  if (bias.shape() != Shape{shape[shape.rank() - 1]}) {
    throw ShapeError(std::string(op) + ": a bias " + to_string(bias.shape()) + " for a result " +
                     to_string(shape));
  }
  return add(y, bias, where);
}

}  // namespace

Var dot(Var a, Var b, Where where) {
  require_rank("dot", a, 1, "vector; use matmul()");
  require_rank("dot", b, 1, "vector; use matmul()");
  return matmul(a, b, {}, where);
}

Var outer(Var a, Var b, Where where) {
  require_rank("outer", a, 1, "vector; flatten() it");
  require_rank("outer", b, 1, "vector; flatten() it");
  return all_or_nothing(a.tape(),
                        [&] { return matmul(unsqueeze(a, 1, where), unsqueeze(b, 0, where), {}, where); });
}

Var linear(Var x, Var weight, Var bias, Where where) {
  require_rank("linear", weight, 2, "matrix [out, in]");
  return all_or_nothing(x.tape(), [&] {
    return biased("linear", matmul(x, weight, {.transpose_b = true}, where), bias, where);
  });
}

Var addmm(Var c, Var a, Var b, double beta, double alpha, Where where) {
  require_rank("addmm", a, 2, "matrix");
  require_rank("addmm", b, 2, "matrix");
  return all_or_nothing(a.tape(), [&] {
    const auto times = [&](Var v, double factor) { return factor == 1 ? v : scale(v, factor, where); };
    const Var product = times(matmul(a, b, {}, where), alpha);
    if (!broadcasts_to(c.shape(), product.shape())) {
      throw ShapeError("addmm: " + to_string(c.shape()) + " does not broadcast to the product " +
                       to_string(product.shape()));
    }
    return beta == 0 ? product : add(times(c, beta), product, where);
  });
}

Var bilinear(Var x1, Var x2, Var weight, Var bias, Where where) {
  require_rank("bilinear", weight, 3, "[out, in1, in2]");
  return all_or_nothing(x1.tape(), [&] {
    return biased("bilinear", einsum("...i,oij,...j->...o", {x1, weight, x2}, where), bias, where);
  });
}

}  // namespace backdrop
