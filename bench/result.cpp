#include "result.hpp"

#include <fmt/core.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace backdrop::bench {

namespace {

std::string ratio(const std::optional<Result::Peer>& peer) {
  if (!peer) return "";
  return peer->ratio < 0.1 ? fmt::format("1/{:.0f}", 1 / peer->ratio) : fmt::format("{:.2f}", peer->ratio);
}

std::string remarks(const Result& result) {
  std::string out;
  if (result.bytes_saved_per_element)
    out = fmt::format("saves {:.3f} byte per element", *result.bytes_saved_per_element);
  if (result.peak_mib) out = fmt::format("peak {:.1f} MiB", *result.peak_mib);
  if (result.libtorch_peak_mib) out += fmt::format(", libtorch's {:.1f} MiB", *result.libtorch_peak_mib);
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
                     r.unit, ratio(r.memcpy), ratio(r.hand), ratio(r.libtorch), remarks(r));
}

void save_json(const std::filesystem::path& path, const std::vector<Result>& results) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Result& result : results) rows.push_back(json_of(result));
  opened(path) << rows.dump(1) << '\n';
}

void save_markdown(const std::filesystem::path& path, const std::vector<Result>& results) {
  std::ofstream file = opened(path);
  file << "| row | threads | time | / memcpy | / hand | / libtorch | memory |\n"
          "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Result& r : results) {
    file << fmt::format("| `{}` | {} | {} {} | {} | {} | {} | {} |\n", r.name, r.threads, time(r.backdrop),
                        r.unit, ratio(r.memcpy), ratio(r.hand), ratio(r.libtorch), remarks(r));
  }
}

}  // namespace backdrop::bench
