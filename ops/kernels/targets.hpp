#pragma once

#include <cstdint>
#include <vector>

namespace backdrop::kernels {

/// The instruction sets that the vector code was compiled for and this machine has, as Highway's target bits,
/// best first.
std::vector<std::int64_t> vector_targets();

/// "AVX2", "SSE4", ...
const char* target_name(std::int64_t target);

/// While it lives, every kernel of the process runs on one of `vector_targets()` instead of the best. For
/// tests that compare targets: not while another thread runs kernels.
class ForcedTarget {
 public:
  explicit ForcedTarget(std::int64_t target);
  ~ForcedTarget();
  ForcedTarget(const ForcedTarget&) = delete;
  ForcedTarget& operator=(const ForcedTarget&) = delete;
};

}  // namespace backdrop::kernels
