#pragma once

#include <cstdint>

namespace hand {

inline constexpr int kLanes = 8;
/// So many random bits at once, as words of 32.
inline constexpr int kWords = 4 * kLanes;

/// Blocks `first` to `first` + 7 of Philox4x32-10 side by side, which a compiler makes vectors of: for each
/// counter {block, 0, stream, step} four words.
inline void philox(std::uint64_t seed, std::uint32_t stream, std::uint32_t step, std::uint32_t first,
                   std::uint32_t (&words)[kWords]) {
  std::uint32_t a[kLanes], b[kLanes], c[kLanes], d[kLanes];
  for (int lane = 0; lane < kLanes; ++lane) {
    a[lane] = first + static_cast<std::uint32_t>(lane);
    b[lane] = 0;
    c[lane] = stream;
    d[lane] = step;
  }
  auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9, k1 += 0xBB67AE85) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const std::uint64_t p = std::uint64_t{0xD2511F53} * a[lane], q = std::uint64_t{0xCD9E8D57} * c[lane];
      a[lane] = static_cast<std::uint32_t>(q >> 32) ^ b[lane] ^ k0;
      c[lane] = static_cast<std::uint32_t>(p >> 32) ^ d[lane] ^ k1;
      b[lane] = static_cast<std::uint32_t>(q);
      d[lane] = static_cast<std::uint32_t>(p);
    }
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    words[4 * lane] = a[lane];
    words[4 * lane + 1] = b[lane];
    words[4 * lane + 2] = c[lane];
    words[4 * lane + 3] = d[lane];
  }
}

}  // namespace hand
