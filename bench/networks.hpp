#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace backdrop::bench {

/// A training step of a classifier: linear layers with relu and dropout between them, cross entropy, plain
/// SGD. The same for all contenders.
struct Network {
  std::vector<std::int64_t> widths;
  std::int64_t batch;

  static constexpr double kP = 0.5;
  static constexpr double kLearningRate = 0.01;

  /// "mlp_step/784-256-10/batch=32"
  std::string row() const {
    std::string out = "mlp_step/";
    for (const std::int64_t width : widths) out += std::to_string(width) + "-";
    out.back() = '/';
    return out + "batch=" + std::to_string(batch);
  }
};

inline std::vector<Network> networks() {
  const std::vector<std::int64_t> small{784, 256, 10};
  return {{small, 1}, {small, 32}, {small, 128}, {{784, 1024, 1024, 10}, 128}};
}

}  // namespace backdrop::bench
