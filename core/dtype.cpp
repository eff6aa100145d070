#include <backdrop/core/dtype.hpp>
#include <backdrop/core/error.hpp>

namespace backdrop {

DType parse_dtype(std::string_view text) {
  for (DType dtype : {DType::f32, DType::f64, DType::i64, DType::mask}) {
    if (name(dtype) == text) return dtype;
  }
  throw DTypeError("unknown dtype '" + std::string(text) + "'; use f32, f64, i64 or mask");
}

}  // namespace backdrop
