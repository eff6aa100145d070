#pragma once

#include <fmt/format.h>

#include <backdrop/core/dtype.hpp>
#include <backdrop/core/shape.hpp>
#include <backdrop/core/tensor.hpp>
#include <string_view>

/// Printing through fmt: fmt::print("{}", tensor). Text flags such as width apply.
namespace backdrop {

/// A formatter for any type with a to_string.
template <class T>
struct AsText : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const T& value, Context& context) const {
    return fmt::formatter<std::string_view>::format(to_string(value), context);
  }
};

}  // namespace backdrop

template <>
struct fmt::formatter<backdrop::DType> : backdrop::AsText<backdrop::DType> {};
template <>
struct fmt::formatter<backdrop::Shape> : backdrop::AsText<backdrop::Shape> {};
template <>
struct fmt::formatter<backdrop::Tensor> : backdrop::AsText<backdrop::Tensor> {};
