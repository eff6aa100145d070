#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace backdrop::bench {

/// Numbers that look random and are the same in every run and process: uniform in [low, high).
template <class T>
std::vector<T> numbers(std::size_t count, double low, double high, std::uint64_t seed = 1) {
  std::vector<T> out(count);
  std::uint64_t state = seed * 0x9E3779B97F4A7C15;  // SplitMix64: Steele, Lea, Flood, OOPSLA 2014
  for (T& number : out) {
    std::uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    number = static_cast<T>(low + (high - low) * static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53);
  }
  return out;
}

/// As many class labels, in turn.
inline std::vector<std::int64_t> labels(std::size_t count, std::int64_t classes) {
  std::vector<std::int64_t> out(count);
  for (std::size_t k = 0; k < count; ++k) out[k] = static_cast<std::int64_t>(k * 7) % classes;
  return out;
}

}  // namespace backdrop::bench
