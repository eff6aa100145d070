#include <doctest/doctest.h>

#include "exhaustive/every_float.hpp"

using namespace backdrop;

// The test of all 2^32 is ./dev test --exhaustive.
TEST_CASE("fused dropout equals Mul then Scale for floats of every exponent and sign, and at their borders") {
  constexpr std::uint32_t kSign = 0x80000000, kNormal = 0x00800000, kOne = 0x3f800000, kInfinity = 0x7f800000;
  constexpr std::uint32_t kHalf = FusedBesideComposed::kChunk / 2;
  constexpr std::uint32_t kStride = 65521;  // a prime: once around, in steps that meet all low bits
  for (const double p : kEveryP) {
    CAPTURE(p);
    FusedBesideComposed both(p);
    CHECK(both.differing(0, kStride) == 0);
    for (const std::uint32_t sign : {0U, kSign}) {
      for (const std::uint32_t border : {0U, kNormal, kOne, kInfinity}) {
        CHECK(both.differing((sign | border) - kHalf) == 0);
      }
    }
  }
}
