#include <backdrop/core/error.hpp>
#include <backdrop/ops/dropout.hpp>
#include <string>

#include "parts/masks.hpp"

namespace backdrop {

namespace {

constexpr std::size_t kSampleAndFeature = 2;

// How many axes come before the `spatial` ones: the features, and samples if there are any.
std::size_t axes_before(const char* op, const Shape& x, std::size_t spatial) {
  if (x.rank() == spatial + 1 || x.rank() == spatial + 2) return x.rank() - spatial;
  throw ShapeError(std::string(op) + ": x is " + to_string(x) +
                   "; it takes [N, C, ...] or [C, ...], where ... " +
                   (spatial == 1 ? "is one axis" : "are " + std::to_string(spatial) + " axes"));
}

Var drop_leading(const char* op, Var x, std::size_t axes, double p, Var mask, Where where) {
  return all_or_nothing(x.tape(),
                        [&] { return dropout(x, p, masks::leading(op, mask, x, axes, where), where); });
}

Var drop_leading(const char* op, Var x, std::size_t axes, double p, Key key, Where where) {
  return all_or_nothing(x.tape(), [&] {
    return dropout(x, p, dropout_mask(x.tape(), masks::leading(op, x.shape(), axes), p, key, where), where);
  });
}

}  // namespace

Var feature_dropout(Var x, double p, Var mask, Where where) {
  return drop_leading("feature_dropout", x, kSampleAndFeature, p, mask, where);
}
Var feature_dropout(Var x, double p, Key key, Where where) {
  return drop_leading("feature_dropout", x, kSampleAndFeature, p, key, where);
}

Var dropout1d(Var x, double p, Var mask, Where where) {
  return drop_leading("dropout1d", x, axes_before("dropout1d", x.shape(), 1), p, mask, where);
}
Var dropout1d(Var x, double p, Key key, Where where) {
  return drop_leading("dropout1d", x, axes_before("dropout1d", x.shape(), 1), p, key, where);
}

Var dropout2d(Var x, double p, Var mask, Where where) {
  return drop_leading("dropout2d", x, axes_before("dropout2d", x.shape(), 2), p, mask, where);
}
Var dropout2d(Var x, double p, Key key, Where where) {
  return drop_leading("dropout2d", x, axes_before("dropout2d", x.shape(), 2), p, key, where);
}

Var dropout3d(Var x, double p, Var mask, Where where) {
  return drop_leading("dropout3d", x, axes_before("dropout3d", x.shape(), 3), p, mask, where);
}
Var dropout3d(Var x, double p, Key key, Where where) {
  return drop_leading("dropout3d", x, axes_before("dropout3d", x.shape(), 3), p, key, where);
}

}  // namespace backdrop
