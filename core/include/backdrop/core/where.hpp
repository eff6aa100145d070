#pragma once

namespace backdrop {

/// The user's source line that recorded a node; taken by default arguments, as in `Where where =
/// Where::here()`.
struct Where {
  const char* file = "";
  unsigned line = 0;

  static constexpr Where here(const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
    return {file, line};
  }
};

}  // namespace backdrop
