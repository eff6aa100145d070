#include "masks.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/layout.hpp>
#include <string>
#include <vector>

namespace backdrop::masks {

Var spread(Var mask, Var x, Where where) {
  const bool fits = mask.dtype() != DType::mask || mask.shape() == x.shape();
  return fits ? mask : broadcast_to(mask, x.shape(), where);
}

Shape leading(const char* op, const Shape& x, std::size_t axes) {
  if (x.rank() < axes) {
    throw ShapeError(std::string(op) + ": x is " + to_string(x) + "; it needs at least " +
                     std::to_string(axes) + (axes == 1 ? " axis" : " axes"));
  }
  std::vector<std::int64_t> extents(x.rank(), 1);
  std::copy_n(x.begin(), axes, extents.begin());
  return Shape(std::move(extents));
}

Var leading(const char* op, Var mask, Var x, std::size_t axes, Where where) {
  const Shape whole = leading(op, x.shape(), axes);
  if (mask.shape() == whole) return mask;
  const Shape brief(x.shape().extents().first(axes));
  if (mask.shape() == brief) return reshape(mask, whole, where);
  throw ShapeError(std::string(op) + ": the mask is " + to_string(mask.shape()) + ", x is " +
                   to_string(x.shape()) + "; give it as " + to_string(brief) + " or " + to_string(whole));
}

}  // namespace backdrop::masks
