#pragma once

#include <chrono>
#include <string>
#include <string_view>

/// What the demo prints while it works, on the standard output.
namespace backdrop::demo {

/// "== title ==" and an empty line before it.
void print_title(std::string_view title);

/// A bar that moves on a terminal; plain lines, one for each step that asks for it, where there is none.
class Progress {
 public:
  /// `total` steps.
  Progress(std::string label, int total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// One step is done. `plain` = worth a line of its own when there is no bar.
  void advance(std::string_view status, bool plain);

 private:
  std::string label_;
  int total_, done_ = 0;
  bool bar_;
};

/// Seconds since it was made.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace backdrop::demo
