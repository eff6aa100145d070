#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "kernels/random.hpp"
#include "kernels/targets.hpp"

using namespace backdrop;

namespace {

const Key kKey{.seed = 0xFEDCBA9876543210, .stream = 5};
constexpr std::uint32_t kStep = 11;

const std::vector<double> kProbabilities = {
    0,      1e-12, 0x1p-32, 1. / 512, 1. / 256,   .1,          .25,
    1. / 3, .5,    .75,     .9,       255. / 256, 1 - 0x1p-32, std::nextafter(1, 0),
    1};

std::vector<std::uint8_t> drawn(double p, std::uint64_t first, std::size_t n) {
  std::vector<std::uint8_t> bits((n + 7) / 8 + 1, 0xA5);  // one more, to see it left alone
  kernels::draw_mask(kKey, kStep, DropThreshold(p), first, n, bits.data());
  return bits;
}

std::vector<std::uint8_t> defined(double p, std::uint64_t first, std::size_t n) {
  std::vector<std::uint8_t> bits((n + 7) / 8 + 1, 0);
  for (std::size_t i = 0; i < n; ++i) {
    bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | unsigned{kept(kKey, kStep, p, first + i)} << i % 8);
  }
  bits.back() = 0xA5;
  return bits;
}

void on_every_target(void (*check)()) {
  const auto targets = kernels::vector_targets();
  REQUIRE_FALSE(targets.empty());
  for (const std::int64_t target : targets) {
    const std::string name = kernels::target_name(target);
    CAPTURE(name);
    const kernels::ForcedTarget forced(target);
    check();
  }
}

template <class T>
using Draw = void (*)(Key, std::uint32_t, std::uint64_t, std::size_t, T*);

template <class T>
std::vector<T> values(Draw<T> draw, std::uint64_t first, std::size_t n) {
  std::vector<T> out(n, T(-99));
  draw(kKey, kStep, first, n, out.data());
  return out;
}

/// Word i of the stream.
std::uint32_t word(std::uint64_t i) { return random_block(kKey, kStep, i / 4)[i % 4]; }

/// Element e from u in (0, 1] and v in [0, 1).
double box_muller(std::uint64_t e, double u, double v) {
  const double angle = 2 * std::numbers::pi * v;
  return std::sqrt(-2 * std::log(u)) * (e % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

template <class T>
void check_cuts(Draw<T> draw) {
  const std::vector<T> whole = values(draw, 0, 3000);
  for (const std::size_t first : {0u, 1u, 2u, 3u, 4u, 5u, 511u, 1000u}) {
    for (const std::size_t n : {0u, 1u, 2u, 3u, 4u, 255u, 256u, 257u, 1999u}) {
      CAPTURE(first);
      CAPTURE(n);
      const std::vector<T> part = values(draw, first, n);
      CHECK(std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(first)));
    }
  }
}

template <class T>
void check_normal_moments(Draw<T> draw) {
  constexpr std::size_t n = 1'000'000;
  double moment[5] = {};
  std::size_t outside = 0;
  double neighbours = 0, previous = 0;
  for (const double x : values(draw, 0, n)) {
    double power = 1;
    for (double& m : moment) {
      m += power / n;
      power *= x;
    }
    outside += std::abs(x) > 3;
    neighbours += x * previous / n;
    previous = x;
  }
  const double sigma = 1 / std::sqrt(double{n});
  CHECK(std::abs(moment[1]) < 4 * sigma);
  CHECK(std::abs(moment[2] - 1) < 4 * std::sqrt(2.) * sigma);
  CHECK(std::abs(moment[3]) < 4 * std::sqrt(15.) * sigma);
  CHECK(std::abs(moment[4] - 3) < 4 * std::sqrt(96.) * sigma);
  CHECK(std::abs(neighbours) < 4 * sigma);
  CHECK(std::abs(static_cast<double>(outside) - .0026998 * n) < 4 * std::sqrt(.0027 * n));
}

}  // namespace

TEST_CASE("a drawn mask is the defined one, bit for bit, on every target") {
  on_every_target([] {
    for (const double p : kProbabilities) {
      CAPTURE(p);
      for (const std::size_t n : {0u, 1u, 7u, 8u, 9u, 63u, 64u, 65u, 127u, 128u, 129u, 1000u, 4096u}) {
        CAPTURE(n);
        CHECK(drawn(p, 0, n) == defined(p, 0, n));
      }
    }
  });
}

TEST_CASE("a range of a mask may begin at any multiple of 8, on every target") {
  on_every_target([] {
    for (const double p : kProbabilities) {
      CAPTURE(p);
      for (std::uint64_t first = 0; first < 1200; first += 8) {
        CAPTURE(first);
        CHECK(drawn(p, first, 77) == defined(p, first, 77));
      }
    }
  });
}

TEST_CASE("the number of a block may pass 2^32 within a mask, on every target") {
  on_every_target([] {
    for (const double p : {.1, .25, .5}) {
      CAPTURE(p);
      const std::uint64_t middle = (std::uint64_t{1} << 32) * (128 / DropThreshold(p).bits);
      CHECK(drawn(p, middle - 1000, 2000) == defined(p, middle - 1000, 2000));
    }
  });
}

TEST_CASE("ties between 16 bits and p are broken as defined, on every target") {
  on_every_target([] {
    for (const double p : {.1, 1. / 3, 0x1p-32, 1 - 0x1p-32}) {
      CAPTURE(p);
      const std::uint32_t top = DropThreshold(p).top();
      constexpr std::size_t n = 1 << 19;  // about 8 ties
      const auto bits = drawn(p, 0, n);
      int ties = 0;
      for (std::size_t i = 0; i < n / 2; ++i) {
        const std::uint32_t two = word(i);
        for (std::size_t e = 2 * i; e < 2 * i + 2; ++e) {
          if ((two >> e % 2 * 16 & 0xFFFF) != top) continue;
          ++ties;
          CHECK((bits[e / 8] >> e % 8 & 1) == kept(kKey, kStep, p, e));
        }
      }
      CHECK(ties > 0);
    }
  });
}

TEST_CASE("an element is dropped as soon as p exceeds its own 32 bits, on every target") {
  on_every_target([] {
    for (std::uint64_t e = 0; e < 800; e += 8) {
      const std::uint32_t low = random_block(kKey, kStep, kTieBlock + e / 8)[0] & 0xFFFF;
      const double own = (random_block(kKey, kStep, e / 8)[0] & 0xFFFF) * 0x1p-16 + low * 0x1p-32;
      CHECK(drawn(own, e, 1)[0] == 1);
      CHECK(drawn(own + 0x1p-32, e, 1)[0] == 0);
    }
  });
}

TEST_CASE("about 1 - p of a large mask is kept") {
  constexpr std::size_t n = 1 << 22;
  for (const double p : {.5, .25, .1, 1. / 3, .9}) {
    CAPTURE(p);
    std::vector<std::uint8_t> bits(n / 8);
    kernels::draw_mask(kKey, kStep, DropThreshold(p), 0, n, bits.data());
    double count = 0;
    for (const std::uint8_t byte : bits) count += std::popcount(byte);
    CHECK(std::abs(count - n * (1 - p)) < 4 * std::sqrt(n * p * (1 - p)));
  }
}

TEST_CASE("a uniform f32 is the top 24 bits of a word, on every target") {
  on_every_target([] {
    const auto drawn = values<float>(kernels::uniform, 0, 1000);
    for (std::size_t e = 0; e < drawn.size(); ++e) {
      CHECK(drawn[e] == std::ldexp(static_cast<float>(word(e) >> 8), -24));
    }
  });
}

TEST_CASE("a uniform f64 is the top 53 bits of two words, on every target") {
  on_every_target([] {
    const auto drawn = values<double>(kernels::uniform, 0, 1000);
    for (std::size_t e = 0; e < drawn.size(); ++e) {
      const std::uint64_t both = std::uint64_t{word(2 * e + 1)} << 32 | word(2 * e);
      CHECK(drawn[e] == std::ldexp(static_cast<double>(both >> 11), -53));
    }
  });
}

TEST_CASE("uniform values fill [0, 1) evenly") {
  std::vector<double> bins(64);
  for (const float x : values<float>(kernels::uniform, 0, 1 << 20)) {
    REQUIRE(x >= 0);
    REQUIRE(x < 1);
    ++bins[static_cast<std::size_t>(x * 64)];
  }
  double chi_squared = 0;
  for (const double count : bins) chi_squared += (count - (1 << 14)) * (count - (1 << 14)) / (1 << 14);
  CHECK(chi_squared < 115);  // 63 degrees of freedom: exceeded once in 15,000
}

TEST_CASE("normal values are those of Box and Muller, on every target") {
  on_every_target([] {
    const auto f32 = values<float>(kernels::normal, 0, 1000);
    const auto f64 = values<double>(kernels::normal, 0, 1000);
    const auto unit = values<double>(kernels::uniform, 0, 1000);
    for (std::size_t e = 0; e < 1000; ++e) {
      CAPTURE(e);
      const std::size_t k = e / 2 * 2;
      const double wide = box_muller(e, 1 - unit[k], unit[k + 1]);
      const double narrow = box_muller(e, 1 - word(k) * 0x1p-32, word(k + 1) * 0x1p-32);
      CHECK(std::abs(f64[e] - wide) <= 1e-14 * std::abs(wide));
      CHECK(std::abs(f32[e] - narrow) <= 6e-8 * std::abs(narrow));
    }
  });
}

TEST_CASE("normal values have the moments of the standard normal distribution") {
  check_normal_moments<float>(kernels::normal);
  check_normal_moments<double>(kernels::normal);
}

TEST_CASE("a uniform or normal element does not depend on how the range is cut") {
  check_cuts<float>(kernels::uniform);
  check_cuts<double>(kernels::uniform);
  check_cuts<float>(kernels::normal);
  check_cuts<double>(kernels::normal);
}
