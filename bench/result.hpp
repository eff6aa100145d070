#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace backdrop::bench {

/// What was found for a row. Times are in `unit`; a ratio is backdrop's time over the peer's.
struct Result {
  struct Peer {
    double time;
    double ratio;
  };

  std::string name;
  int threads = 1;
  std::string unit;
  double backdrop = 0;
  std::optional<Peer> memcpy{}, hand{}, libtorch{};
  std::optional<double> bytes_saved_per_element{};
  std::optional<double> peak_mib{}, libtorch_peak_mib{};
};

/// One line of the table, and the line above them all.
std::string heading();
std::string line_of(const Result& result);

void save_json(const std::filesystem::path& path, const std::vector<Result>& results);
/// Where and with what it was measured, and the table, as Markdown.
using Facts = std::vector<std::pair<std::string, std::string>>;
void save_markdown(const std::filesystem::path& path, const Facts& facts, const std::vector<Result>& results);

}  // namespace backdrop::bench
