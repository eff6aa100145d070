#include "json_text.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <span>

#include "base64.hpp"

namespace backdrop::json {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

namespace {

template <class T>
void append_finite_or_word(std::string& out, T number) {
  if (std::isnan(number)) {
    out += "\"NaN\"";
  } else if (std::isinf(number)) {
    out += number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    char text[32];
    char* const end = std::to_chars(text, text + sizeof text, number).ptr;
    const std::string_view digits(text, static_cast<std::size_t>(end - text));
    out += digits;
    if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
  }
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      if (static_cast<unsigned char>(c) < 0x20) {
        out += "\\u00";
        out += kHex[static_cast<unsigned char>(c) >> 4];
        out += kHex[static_cast<unsigned char>(c) & 15];
      } else {
        out += c;
      }
  }
}

void append_element(std::string& out, const Tensor& tensor, std::size_t k) {
  switch (tensor.dtype()) {
    case DType::f32:
      return append_real(out, tensor.data<float>()[k]);
    case DType::f64:
      return append_real(out, tensor.data<double>()[k]);
    case DType::i64:
      return append_integer(out, tensor.data<std::int64_t>()[k]);
    case DType::mask:
      out += tensor.at(k) != 0 ? '1' : '0';
  }
}

void append_key(std::string& out, Key key) {
  char text[16];
  char* const end = std::to_chars(text, text + sizeof text, key.seed, 16).ptr;
  out += "{\"seed\": \"0x";
  out.append(text, end);
  out += "\", \"stream\": ";
  append_integer(out, key.stream);
  out += '}';
}

}  // namespace

void append_real(std::string& out, double number) { append_finite_or_word(out, number); }
void append_real(std::string& out, float number) { append_finite_or_word(out, number); }

void append_integer(std::string& out, std::int64_t number) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t k) { return k < text.size() ? static_cast<std::uint8_t>(text[k]) : 0U; };
  const auto trail = [&](std::size_t k) { return (byte(k) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return trail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return trail(1) && trail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) > 0x8F;
    return trail(1) && trail(2) && trail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

bool append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    if (length == 1) {
      append_escaped(out, text[0]);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  out += '"';
  return true;
}

void append_tensor(std::string& out, const Tensor& tensor) {
  const std::size_t count = tensor.numel();
  if (count > kListed) {
    out += tensor.dtype() == DType::mask ? "{\"bits\": \"" : "{\"base64\": \"";
    append_base64(out, {static_cast<const std::uint8_t*>(tensor.bytes()), byte_size(tensor.dtype(), count)});
    out += "\"}";
    return;
  }
  out += '[';
  for (std::size_t k = 0; k < count; ++k) {
    if (k > 0) out += ", ";
    append_element(out, tensor, k);
  }
  out += ']';
}

void append_attribute(std::string& out, const AttrValue& value) {
  switch (value.kind) {
    case AttrKind::real:
      return append_real(out, value.real());
    case AttrKind::integer:
      return append_integer(out, value.integer());
    case AttrKind::boolean:
      out += value.boolean() ? "true" : "false";
      return;
    case AttrKind::key:
      return append_key(out, value.key);
    case AttrKind::dtype:
      out += '"';
      out += name(value.dtype());
      out += '"';
      return;
    case AttrKind::ints:
      out += '[';
      for (std::size_t k = 0; k < value.ints.size(); ++k) {
        if (k > 0) out += ", ";
        append_integer(out, value.ints[k]);
      }
      out += ']';
      return;
    case AttrKind::none:
      out += "null";
  }
}

}  // namespace backdrop::json
