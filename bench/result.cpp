#include "result.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace backdrop::bench {

namespace {

std::string ratio(const std::optional<Result::Peer>& peer) {
  if (!peer) return "";
  return peer->ratio < 0.1 ? fmt::format("1/{:.0f}", 1 / peer->ratio) : fmt::format("{:.2f}", peer->ratio);
}

std::string of_one_result(const Result& result) {
  std::string out;
  if (result.bytes_saved_per_element)
    out = fmt::format("saves {:.3f} byte per element", *result.bytes_saved_per_element);
  if (result.peak_mib) out = fmt::format("peak {:.1f} MiB", *result.peak_mib);
  if (result.libtorch_peak_mib) out += fmt::format(", libtorch's {:.1f} MiB", *result.libtorch_peak_mib);
  return out;
}

// Rows that differ in size alone: all up to the last slash.
std::string family(const Result& result) { return result.name.substr(0, result.name.rfind('/')); }

// And what two threads gain, and how a time per thing grows with the number of things.
std::string remarks(const Result& result, const std::vector<Result>& all) {
  double best = result.backdrop;
  std::string out = of_one_result(result);
  for (const Result& other : all) {
    if (family(other) == family(result)) best = std::min(best, other.backdrop);
    if (result.threads > 1 && other.threads == 1 && other.name == result.name)
      out = fmt::format("{:.2f} x as fast as one thread", other.backdrop / result.backdrop);
  }
  if (result.name.starts_with("growth/")) out = fmt::format("{:.2f} x the best size", result.backdrop / best);
  return out;
}

// Three digits, whatever the size.
std::string time(double number) {
  return number < 10 ? fmt::format("{:.3f}", number) : fmt::format("{:.1f}", number);
}

nlohmann::ordered_json json_of(const Result& result) {
  nlohmann::ordered_json out{{"name", result.name},
                             {"threads", result.threads},
                             {"unit", result.unit},
                             {"backdrop", result.backdrop}};
  const auto peers = {std::pair{"memcpy", &result.memcpy}, std::pair{"hand", &result.hand},
                      std::pair{"libtorch", &result.libtorch}};
  for (const auto& [name, peer] : peers) {
    if (*peer) out[name] = (*peer)->time;
  }
  for (const auto& [name, peer] : peers) {
    if (*peer) out[std::string("ratio_") + name] = (*peer)->ratio;
  }
  for (const auto& [name, number] :
       {std::pair{"bytes_saved_per_element", &result.bytes_saved_per_element},
        std::pair{"peak_mib", &result.peak_mib}, std::pair{"libtorch_peak_mib", &result.libtorch_peak_mib}}) {
    if (*number) out[name] = **number;
  }
  return out;
}

std::ofstream opened(const std::filesystem::path& path) {
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path);
  if (!file) throw std::runtime_error(path.string() + " cannot be written");
  return file;
}

}  // namespace

std::string heading() {
  return fmt::format("{:<60} {:>7} {:>20} {:>9} {:>7} {:>9}", "", "threads", "backdrop", "/ memcpy", "/ hand",
                     "/ libtorch");
}

std::string line_of(const Result& r) {
  return fmt::format("{:<60} {:>7} {:>9} {:<10} {:>9} {:>7} {:>9}  {}", r.name, r.threads, time(r.backdrop),
                     r.unit, ratio(r.memcpy), ratio(r.hand), ratio(r.libtorch), of_one_result(r));
}

void save_json(const std::filesystem::path& path, const std::vector<Result>& results) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Result& result : results) rows.push_back(json_of(result));
  opened(path) << rows.dump(1) << '\n';
}

void save_markdown(const std::filesystem::path& path, const Facts& facts,
                   const std::vector<Result>& results) {
  std::ofstream file = opened(path);
  file << "| | |\n| --- | --- |\n";
  for (const auto& [word, fact] : facts) file << fmt::format("| {} | {} |\n", word, fact);
  file << "\n| row | threads | time | / memcpy | / hand | / libtorch | |\n"
          "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Result& r : results) {
    file << fmt::format("| `{}` | {} | {} {} | {} | {} | {} | {} |\n", r.name, r.threads, time(r.backdrop),
                        r.unit, ratio(r.memcpy), ratio(r.hand), ratio(r.libtorch), remarks(r, results));
  }
}

}  // namespace backdrop::bench
