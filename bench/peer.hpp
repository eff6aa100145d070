#pragma once

#include <sys/types.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "measure.hpp"

namespace backdrop::bench {

/// Another library in a process of its own, since pools of threads in one process fight for the processors.
/// It waits for requests, one a line, and does nothing meanwhile: libtorch/main.cpp.
class Peer {
 public:
  /// Starts `program`; throws std::runtime_error where that fails.
  explicit Peer(const std::filesystem::path& program);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  std::string version();
  /// Samples of the row, taken over there; none if it does not know the row. For one row at a time.
  std::optional<Sampler> sampler_of(const std::string& row, int threads);

 private:
  std::string ask(const std::string& request);

  std::string name_;
  pid_t process_;
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> requests_, answers_;
};

}  // namespace backdrop::bench
