#include "reduce_losses.hpp"

#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/reduce.hpp>

namespace backdrop {

Var reduce_losses(Var losses, Reduction how, Where where) {
  switch (how) {
    case Reduction::mean:
      return mean(losses, where);
    case Reduction::sum:
      return sum(losses, where);
    case Reduction::batchmean:
      if (losses.shape().rank() == 0) throw ShapeError("batchmean: a loss of rank 0 has no batch axis");
      return div(sum(losses, where), static_cast<double>(losses.shape()[0]), where);
    default:
      return losses;
  }
}

}  // namespace backdrop
