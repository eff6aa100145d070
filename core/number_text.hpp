#pragma once

#include <charconv>
#include <string>

namespace backdrop {

/// The shortest decimal that reads back as the same number.
template <class T>
std::string number_text(T number) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, number).ptr);
}

}  // namespace backdrop
