#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace backdrop {

/// Appends `bytes` in base64 with padding (RFC 4648, section 4).
void append_base64(std::string& out, std::span<const std::uint8_t> bytes);

/// Decodes exactly `out.size()` bytes; false when `text` is not their one canonical form.
bool decode_base64(std::string_view text, std::span<std::uint8_t> out);

}  // namespace backdrop
