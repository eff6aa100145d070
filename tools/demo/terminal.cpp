#include "demo/terminal.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace backdrop::demo {

void print_title(std::string_view title) { fmt::print("\n== {} ==\n\n", title); }

Progress::Progress(std::string label, int total)
    : label_(std::move(label)), total_(total), bar_(isatty(STDOUT_FILENO) != 0) {
  std::fflush(stdout);
}

Progress::~Progress() {
  if (bar_ && done_ > 0) fmt::print("\n");
}

void Progress::advance(std::string_view status, bool plain) {
  constexpr int kWidth = 24;
  ++done_;
  if (bar_) {
    const auto filled = static_cast<std::size_t>(kWidth * done_ / total_);
    const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
    fmt::print("\r{} [{}] {}/{}  {}\x1b[K", label_, bar, done_, total_, status);
  } else if (plain) {
    fmt::print("{} {}/{}  {}\n", label_, done_, total_, status);
  }
  std::fflush(stdout);
}

}  // namespace backdrop::demo
