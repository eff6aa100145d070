#pragma once

#include <backdrop/core/attribute.hpp>
#include <backdrop/core/tensor.hpp>
#include <cstdint>
#include <string>
#include <string_view>

/// The pieces of JSON text that a dump is made of; each appends to `out`.
namespace backdrop::json {

/// Shortest decimal that reads back as the same number, with a point or an exponent; "NaN", "Infinity" and
/// "-Infinity" as strings.
void append_real(std::string& out, double number);
void append_real(std::string& out, float number);
void append_integer(std::string& out, std::int64_t number);

/// The length of the UTF-8 sequence at the front of `text`, or 0 when there is none: Unicode 15, table 3-7.
std::size_t utf8_length(std::string_view text);

/// Quoted and escaped; false (and nothing sensible appended) when `text` is not UTF-8.
[[nodiscard]] bool append_string(std::string& out, std::string_view text);

/// Tensors with more elements than this are written in base64.
inline constexpr std::size_t kListed = 64;

/// [1.0, 2.0] in row-major order; {"base64": "..."} with little-endian elements when there are many;
/// {"bits": "..."} for many mask elements: base64 of bytes filled from their least significant bit.
void append_tensor(std::string& out, const Tensor& tensor);

void append_attribute(std::string& out, const AttrValue& value);

}  // namespace backdrop::json
