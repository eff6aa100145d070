#include <backdrop/ops/dropout.hpp>
#include <backdrop/ops/matmul.hpp>

#include "parts/masks.hpp"

namespace backdrop {

Var drop_connect(Var x, Var weight, double p, Var mask, Where where) {
  return all_or_nothing(
      x.tape(), [&] { return matmul(x, dropout(weight, p, mask, where), {.transpose_b = true}, where); });
}

Var drop_connect(Var x, Var weight, double p, Key key, Where where) {
  return all_or_nothing(
      x.tape(), [&] { return matmul(x, dropout(weight, p, key, where), {.transpose_b = true}, where); });
}

}  // namespace backdrop
