#include "base64.hpp"

#include <array>

namespace backdrop {

namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint32_t kNoDigit = 64;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::size_t k = 0; k < kDigits.size(); ++k) {
    values[static_cast<std::uint8_t>(kDigits[k])] = static_cast<std::uint8_t>(k);
  }
  return values;
}();

}  // namespace

void append_base64(std::string& out, std::span<const std::uint8_t> bytes) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  for (std::size_t k = 0; k < bytes.size(); k += 3) {
    const std::size_t count = bytes.size() - k < 3 ? bytes.size() - k : 3;
    std::uint32_t group = std::uint32_t{bytes[k]} << 16;
    if (count > 1) group |= std::uint32_t{bytes[k + 1]} << 8;
    if (count > 2) group |= bytes[k + 2];
    for (std::size_t digit = 0; digit < 4; ++digit) {
      out += digit <= count ? kDigits[group >> (18 - 6 * digit) & 63] : '=';
    }
  }
}

bool decode_base64(std::string_view text, std::span<std::uint8_t> out) {
  if (text.size() != (out.size() + 2) / 3 * 4) return false;
  std::size_t at = 0;
  for (std::size_t k = 0; k < text.size(); k += 4) {
    const std::size_t count = out.size() - at < 3 ? out.size() - at : 3;
    std::uint32_t group = 0;
    for (std::size_t digit = 0; digit < 4; ++digit) {
      const char c = text[k + digit];
      const std::uint32_t value = digit <= count ? kValues[static_cast<std::uint8_t>(c)] : 0;
      if (digit <= count ? value == kNoDigit : c != '=') return false;
      group |= value << (18 - 6 * digit);
    }
    for (std::size_t byte = 0; byte < 3; ++byte) {
      const auto value = static_cast<std::uint8_t>(group >> (16 - 8 * byte));
      if (byte < count) {
        out[at + byte] = value;
      } else if (value != 0) {
        return false;
      }
    }
    at += count;
  }
  return true;
}

}  // namespace backdrop
