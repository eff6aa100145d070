#pragma once

#include <backdrop/core/dtype.hpp>
#include <backdrop/core/shape.hpp>
#include <string>

namespace backdrop::running {

/// Throws DTypeError or ShapeError, about `what`, when the types differ.
void require_type(const std::string& what, DType dtype, const Shape& shape, DType given_dtype,
                  const Shape& given_shape);

}  // namespace backdrop::running
