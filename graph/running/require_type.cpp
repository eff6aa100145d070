#include "running/require_type.hpp"

#include <backdrop/core/error.hpp>

namespace backdrop::running {

void require_type(const std::string& what, DType dtype, const Shape& shape, DType given_dtype,
                  const Shape& given_shape) {
  if (dtype != given_dtype) {
    throw DTypeError(what + " is " + to_string(given_dtype) + ", but must be " + to_string(dtype));
  }
  if (shape != given_shape) {
    throw ShapeError(what + " has shape " + to_string(given_shape) + ", but must have " + to_string(shape));
  }
}

}  // namespace backdrop::running
