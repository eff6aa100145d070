#include "environment.hpp"

#include <cblas.h>
#include <fmt/core.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <thread>

#ifdef BACKDROP_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

namespace backdrop::bench {

namespace {

// What follows `key` and separators in the first line of the file that begins with it.
std::string line_after(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t start = line.find_first_not_of("=: \t\"", key.size());
    if (start == std::string::npos) return "";
    return line.substr(start, line.find_last_not_of('"') - start + 1);
  }
  return "unknown";
}

std::string processor() {
  const std::string flags = fmt::format(" {} ", line_after("/proc/cpuinfo", "flags"));
  const char* vectors = flags.find(" avx512f ") != std::string::npos ? "AVX-512"
                        : flags.find(" avx2 ") != std::string::npos  ? "AVX2"
                                                                     : "neither AVX2 nor AVX-512";
  return fmt::format("{} (family {}, model {}), {}, {} processors", line_after("/proc/cpuinfo", "model name"),
                     line_after("/proc/cpuinfo", "cpu family"), line_after("/proc/cpuinfo", "model\t"),
                     vectors, std::thread::hardware_concurrency());
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", std::gmtime(&now));
  return text.data();
}

// "OpenBLAS 0.3.21 NO_LAPACKE ..." without what follows the version
std::string openblas() {
  const std::string config = openblas_get_config();
  return config.substr(config.find(' ') + 1, config.find(' ', config.find(' ') + 1) - config.find(' ') - 1);
}

#ifdef BACKDROP_ONEDNN
std::string onednn() {
  const dnnl_version_t& v = *dnnl_version();
  return fmt::format("{}.{}.{}", v.major, v.minor, v.patch);
}
#else
std::string onednn() { return "none"; }
#endif

}  // namespace

std::vector<std::pair<std::string, std::string>> environment() {
#ifdef __clang__
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  return {{"processor", processor()},
          {"system", line_after("/etc/os-release", "PRETTY_NAME")},
          {"compiler", compiler},
          {"OpenBLAS", fmt::format("{}, kernels {}", openblas(), openblas_get_corename())},
          {"oneDNN", onednn()},
          {"date", today()}};
}

double load() {
  double minute = 0;
  return getloadavg(&minute, 1) == 1 ? minute : 0;
}

}  // namespace backdrop::bench
