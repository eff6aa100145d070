#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

namespace backdrop {

/// Element types. `mask` takes one bit per element, least significant bit first; 1 = kept.
enum class DType : std::uint8_t { f32, f64, i64, mask };

constexpr std::string_view name(DType dtype) {
  constexpr std::string_view kNames[] = {"f32", "f64", "i64", "mask"};
  return kNames[static_cast<std::size_t>(dtype)];
}

inline std::string to_string(DType dtype) { return std::string(name(dtype)); }

/// The dtype called `text`; throws DTypeError when there is none.
DType parse_dtype(std::string_view text);

/// Only f32 and f64 carry derivatives.
constexpr bool is_float(DType dtype) { return dtype == DType::f32 || dtype == DType::f64; }

/// Bytes that `count` elements take: whole bytes, so eight mask elements share one.
constexpr std::size_t byte_size(DType dtype, std::size_t count) {
  switch (dtype) {
    case DType::f32:
      return count * 4;
    case DType::mask:
      return (count + 7) / 8;
    default:
      return count * 8;
  }
}

/// x as a To. An integer that cannot hold x is the nearest that there is, and 0 for NaN: C++ leaves those
/// conversions undefined.
template <class To, class From>
constexpr To converted(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    static_assert(std::is_signed_v<To>);
    constexpr From kBound = -static_cast<From>(std::numeric_limits<To>::min());
    if (x != x) return 0;
    if (x >= kBound) return std::numeric_limits<To>::max();
    if (x < -kBound) return std::numeric_limits<To>::min();
  }
  return static_cast<To>(x);
}

template <class T>
inline constexpr DType dtype_of = DType::mask;
template <>
inline constexpr DType dtype_of<float> = DType::f32;
template <>
inline constexpr DType dtype_of<double> = DType::f64;
template <>
inline constexpr DType dtype_of<std::int64_t> = DType::i64;

}  // namespace backdrop
