#include "exhaustive/every_float.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

using namespace backdrop;

namespace {

constexpr std::uint32_t kChunks =
    static_cast<std::uint32_t>((std::int64_t{1} << 32) / FusedBesideComposed::kChunk);

// A thread per processor, each with recordings of its own, takes every so-manieth chunk.
std::size_t differing_of_all(double p) {
  const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  std::atomic<std::size_t> wrong = 0;
  std::vector<std::thread> all;
  all.reserve(threads);
  for (unsigned t = 0; t < threads; ++t) {
    all.emplace_back([&wrong, p, t, threads] {
      FusedBesideComposed both(p);
      for (std::uint32_t chunk = t; chunk < kChunks; chunk += threads) {
        wrong += both.differing(chunk * static_cast<std::uint32_t>(FusedBesideComposed::kChunk));
      }
    });
  }
  for (std::thread& thread : all) thread.join();
  return wrong;
}

}  // namespace

TEST_CASE(
    "fused dropout equals Mul then Scale for all 2^32 floats, kept and dropped, forwards and backwards") {
  for (const double p : kEveryP) {
    CAPTURE(p);
    CHECK(differing_of_all(p) == 0);
  }
}
