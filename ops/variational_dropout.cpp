#include <backdrop/core/error.hpp>
#include <backdrop/ops/dropout.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>
#include <vector>

#include "parts/masks.hpp"

namespace backdrop {

namespace {

// The shape of x with extent 1 along the axis `time`.
Shape one_step(const Shape& x, std::int64_t time) {
  std::vector<std::int64_t> extents(x.begin(), x.end());
  extents[normalize_axis("variational_dropout", time, x.rank())] = 1;
  return Shape(std::move(extents));
}

}  // namespace

Var variational_dropout(Var x, double p, Var mask, std::int64_t time, Where where) {
  const Shape step = one_step(x.shape(), time);
  return all_or_nothing(x.tape(), [&] {
    if (mask.shape() == step) return dropout(x, p, mask, where);
    const Var with_time =
        mask.shape().rank() + 1 == step.rank()
            ? unsqueeze(mask,
                        static_cast<std::int64_t>(normalize_axis("variational_dropout", time, step.rank())),
                        where)
            : mask;
    if (with_time.shape() == step) return dropout(x, p, with_time, where);
    throw ShapeError("variational_dropout: the mask is " + to_string(mask.shape()) + ", x is " +
                     to_string(x.shape()) + "; leave out axis " + std::to_string(time) +
                     " or give it extent 1");
  });
}

Var variational_dropout(Var x, double p, Key key, std::int64_t time, Where where) {
  return all_or_nothing(x.tape(), [&] {
    return dropout(x, p, dropout_mask(x.tape(), one_step(x.shape(), time), p, key, where), where);
  });
}

}  // namespace backdrop
