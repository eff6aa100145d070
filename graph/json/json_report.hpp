#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "json/json_text.hpp"

/// The pieces of JSON text that reports of checks are made of.
namespace backdrop::json {

/// Names that are not UTF-8 stand as "".
inline void append_text(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  if (append_string(out, text)) return;
  out.resize(before);
  out += "\"\"";
}

inline void append_count(std::string& out, std::size_t number) {
  append_integer(out, static_cast<std::int64_t>(number));
}

template <class Items, class Append>
void append_list(std::string& out, const Items& items, Append append) {
  out += '[';
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += ", ";
    first = false;
    append(item);
  }
  out += ']';
}

}  // namespace backdrop::json
