#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <backdrop/core/error.hpp>
#include <backdrop/core/random.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

using namespace backdrop;

namespace {

const Key kKey{.seed = 0x0123456789ABCDEF, .stream = 3};
constexpr std::uint32_t kStep = 7;

/// Bit i of the stream that begins at block `first`.
bool stream_bit(std::uint64_t first, std::uint64_t i) {
  const std::uint64_t q = first + i / 128;
  const auto words =
      philox4x32_10({static_cast<std::uint32_t>(q), static_cast<std::uint32_t>(q >> 32), kKey.stream, kStep},
                    {static_cast<std::uint32_t>(kKey.seed), static_cast<std::uint32_t>(kKey.seed >> 32)});
  return (words[i % 128 / 32] >> (i % 32) & 1) != 0;
}

/// Gathered bit by bit: another way to say what the mask layout says.
std::uint32_t stream_number(std::uint64_t first, std::uint64_t position, unsigned bits) {
  std::uint32_t number = 0;
  for (unsigned k = 0; k < bits; ++k) number += std::uint32_t{stream_bit(first, position + k)} << k;
  return number;
}

/// As if 32 bits were drawn for every element.
bool kept_by_32_bits(double p, std::uint64_t e) {
  const std::uint64_t high = stream_number(0, 16 * e, 16);
  const std::uint64_t low = stream_number(kTieBlock, 16 * e, 16);
  return static_cast<double>(high << 16 | low) >= std::round(p * 0x1p32);
}

std::uint64_t kept_64(double p, std::uint64_t first) {
  std::uint64_t bits = 0;
  for (std::uint64_t i = 0; i < 64; ++i) bits |= std::uint64_t{kept(kKey, kStep, p, first + i)} << i;
  return bits;
}

std::vector<std::int64_t> permutation(std::size_t n, Key key, std::uint32_t step) {
  std::vector<std::int64_t> indices(n, -1);
  fill_permutation(indices, key, step);
  return indices;
}

template <std::size_t N>
std::array<std::uint32_t, N> words_from(const nlohmann::json& hex) {
  REQUIRE(hex.size() == N);
  std::array<std::uint32_t, N> words{};
  for (std::size_t i = 0; i < N; ++i) {
    words[i] = static_cast<std::uint32_t>(std::stoul(hex[i].get<std::string>(), nullptr, 16));
  }
  return words;
}

}  // namespace

TEST_CASE("Philox4x32-10 gives the answers that Random123 publishes") {
  using Words = std::array<std::uint32_t, 4>;
  CHECK(philox4x32_10({0, 0, 0, 0}, {0, 0}) == Words{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8});
  CHECK(philox4x32_10({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
        Words{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD});
  CHECK(philox4x32_10({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}) ==
        Words{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1});
}

TEST_CASE("Philox4x32-10 gives the answers in the files that BACKDROP_RANDOM123 points to") {
  const char* folder = std::getenv("BACKDROP_RANDOM123");
  if (folder == nullptr) {
    MESSAGE("skipped: set BACKDROP_RANDOM123 to a folder with kat.json and extra.json");
    return;
  }
  for (const std::string file : {"kat.json", "extra.json"}) {
    CAPTURE(file);
    std::ifstream stream(std::filesystem::path(folder) / file);
    REQUIRE(stream);
    int checked = 0;
    const auto document = nlohmann::json::parse(stream);
    for (const auto& vector : document.at("vectors")) {
      if (vector.at("generator") != "philox4x32" || vector.at("rounds") != 10) continue;
      CHECK(philox4x32_10(words_from<4>(vector.at("counter")), words_from<2>(vector.at("key"))) ==
            words_from<4>(vector.at("expected")));
      ++checked;
    }
    MESSAGE(file << ": " << checked << " vectors");
    CHECK(checked > 0);
  }
}

TEST_CASE("a threshold is p in units of 2^-32, with as many bits drawn as it needs") {
  const auto check = [](double p, std::uint64_t value, unsigned bits) {
    CAPTURE(p);
    CHECK(DropThreshold(p).value == value);
    CHECK(DropThreshold(p).bits == bits);
  };
  check(0, 0, 0);
  check(-0.0, 0, 0);
  check(1e-12, 0, 0);
  check(std::nextafter(0x1p-33, 0), 0, 0);
  check(0x1p-33, 1, 16);  // a half is rounded up
  check(0x1p-32, 1, 16);
  check(.1, 429496730, 16);
  check(.25, 0x40000000, 8);
  check(1. / 256, 0x01000000, 8);
  check(1. / 512, 0x00800000, 16);
  check(1. / 3, 1431655765, 16);
  check(.5, 0x80000000, 1);
  check(.75, 0xC0000000, 8);
  check(1 - 0x1p-32, 0xFFFFFFFF, 16);
  check(std::nextafter(1, 0), 0x100000000, 0);
  check(1, 0x100000000, 0);
}

TEST_CASE("a mask is laid out as an independent implementation lays it out") {
  // Computed once from the comment in random.hpp, in Python.
  CHECK(kept_64(.5, 1000) == 0xF10C4B51D152AECE);
  CHECK(kept_64(.25, 1000) == 0x5F7FF1ADAF7E4F98);
  CHECK(kept_64(.1, 1000) == 0xEFFFFFDFFEFF5FFD);
  CHECK(kept_64(1. / 3, 1000) == 0x8BF7BAD7D6F446FD);
}

TEST_CASE("p = 1/2 keeps where the bit of the stream is 1") {
  for (std::uint64_t e = 0; e < 1000; ++e) CHECK(kept(kKey, kStep, .5, e) == stream_bit(0, e));
}

TEST_CASE("a multiple of 1/256 is compared with 8 bits of the stream") {
  for (const double p : {1. / 256, .25, .75, 255. / 256}) {
    CAPTURE(p);
    for (std::uint64_t e = 0; e < 1000; ++e) {
      CHECK(kept(kKey, kStep, p, e) == (stream_number(0, 8 * e, 8) >= 256 * p));
    }
  }
}

TEST_CASE("any other p is compared with 16 bits of the stream, and a tie with 16 more") {
  for (const double p : {.1, 1. / 3, .7, 0x1p-32, 1 - 0x1p-32, 5 * 0x1p-16, 123456789 * 0x1p-32}) {
    CAPTURE(p);
    for (std::uint64_t e = 0; e < 1000; ++e) CHECK(kept(kKey, kStep, p, e) == kept_by_32_bits(p, e));
  }
}

TEST_CASE("ties occur, and are broken both ways") {
  const std::uint32_t top = DropThreshold(.1).top();
  int ties = 0, kept_ties = 0;
  for (std::uint64_t block = 0; block < 1 << 16; ++block) {
    const auto words = random_block(kKey, kStep, block);
    for (std::uint64_t i = 0; i < 8; ++i) {
      if ((words[i / 2] >> (i % 2 * 16) & 0xFFFF) != top) continue;
      const std::uint64_t e = 8 * block + i;
      CHECK(kept(kKey, kStep, .1, e) == kept_by_32_bits(.1, e));
      CHECK(kept(kKey, kStep, top * 0x1p-16 + 0x1p-32, e));              // all but 1 in 2^16 ties kept
      CHECK_FALSE(kept(kKey, kStep, (top + 1) * 0x1p-16 - 0x1p-32, e));  // and dropped
      ++ties;
      kept_ties += kept(kKey, kStep, .1, e);
    }
  }
  CHECK(kept_ties > 0);
  CHECK(kept_ties < ties);
}

TEST_CASE("an element is dropped as soon as p exceeds its own 32 bits") {
  for (std::uint64_t e = 0; e < 100; ++e) {
    const double own =
        stream_number(0, 16 * e, 16) * 0x1p-16 + stream_number(kTieBlock, 16 * e, 16) * 0x1p-32;
    CHECK(kept(kKey, kStep, own, e));
    CHECK_FALSE(kept(kKey, kStep, own + 0x1p-32, e));
  }
}

TEST_CASE("p = 0 keeps and p = 1 drops every element") {
  for (const std::uint64_t e : {std::uint64_t{0}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    CHECK(kept(kKey, kStep, 0, e));
    CHECK(kept(kKey, kStep, 1e-12, e));
    CHECK_FALSE(kept(kKey, kStep, std::nextafter(1, 0), e));
    CHECK_FALSE(kept(kKey, kStep, 1, e));
  }
}

TEST_CASE("of n elements about (1 - p) n are kept") {
  constexpr int n = 200'000;
  for (const double p : {.5, .25, .1, 1. / 3, .9}) {
    CAPTURE(p);
    int count = 0;
    for (std::uint64_t e = 0; e < n; ++e) count += kept(kKey, kStep, p, e);
    CHECK(std::abs(count - n * (1 - p)) < 4 * std::sqrt(n * p * (1 - p)));
  }
}

TEST_CASE("seed, both its halves, stream and step each give a mask of their own") {
  for (const double p : {.5, .25, .1}) {
    CAPTURE(p);
    const auto looks_independent = [&](Key key, std::uint32_t step) {
      int different = 0;
      for (std::uint64_t e = 0; e < 1000; ++e) {
        different += kept(key, step, p, e) != kept(kKey, kStep, p, e);
      }
      return std::abs(different - 2000 * p * (1 - p)) < 70;
    };
    CHECK(looks_independent({kKey.seed ^ 1, kKey.stream}, kStep));
    CHECK(looks_independent({kKey.seed ^ std::uint64_t{1} << 32, kKey.stream}, kStep));
    CHECK(looks_independent({kKey.seed, kKey.stream + 1}, kStep));
    CHECK(looks_independent(kKey, kStep + 1));
  }
}

TEST_CASE("what is no probability throws, and is named") {
  for (const double p : {-.25, 1.5, std::nextafter(1, 2), std::numeric_limits<double>::quiet_NaN(),
                         std::numeric_limits<double>::infinity()}) {
    CAPTURE(p);
    CHECK_THROWS_AS(DropThreshold{p}, ValueError);
    CHECK_THROWS_AS(kept(kKey, kStep, p, 0), ValueError);
    CHECK_THROWS_AS(keep_scale(p), ValueError);
  }
  CHECK_THROWS_WITH(keep_scale(1.5), doctest::Contains("p = 1.5 "));
  CHECK_THROWS_WITH(keep_scale(std::nextafter(1, 2)), doctest::Contains("p = 1.0000000000000002 "));
}

TEST_CASE("the scale of kept elements is 1 / (1 - p), and 0 where none is kept") {
  CHECK(keep_scale(0) == 1);
  CHECK(keep_scale(.5) == 2);
  CHECK(keep_scale(.1) == 1 / (1 - .1));
  CHECK(keep_scale(std::nextafter(1, 0)) == 0x1p53);
  CHECK(keep_scale(1) == 0);
}

TEST_CASE("keys are handed out in order, until the streams are used up") {
  Keys keys(42);
  CHECK(keys.next() == Key{42, 0});
  CHECK(keys.next() == Key{42, 1});
  CHECK(keys.next() == Key{42, 2});

  Keys last(42, 0xFFFFFFFF);
  CHECK(last.next() == Key{42, 0xFFFFFFFF});
  CHECK_THROWS_AS(last.next(), ValueError);
  CHECK_THROWS_AS(last.next(), ValueError);
}

TEST_CASE("a permutation holds each index once") {
  for (const std::size_t n : {0u, 1u, 2u, 3u, 10u, 1000u}) {
    CAPTURE(n);
    auto indices = permutation(n, kKey, kStep);
    std::sort(indices.begin(), indices.end());
    for (std::size_t i = 0; i < n; ++i) CHECK(indices[i] == static_cast<std::int64_t>(i));
  }
}

TEST_CASE("a permutation is what an independent implementation draws") {
  // Computed once from the comment in random.hpp, in Python.
  CHECK(permutation(10, kKey, kStep) == std::vector<std::int64_t>{1, 8, 7, 6, 9, 2, 4, 0, 3, 5});
}

TEST_CASE("a permutation depends on seed, stream and step, and on nothing else") {
  const auto reference = permutation(100, kKey, kStep);
  CHECK(permutation(100, kKey, kStep) == reference);
  CHECK(permutation(100, {kKey.seed + 1, kKey.stream}, kStep) != reference);
  CHECK(permutation(100, {kKey.seed, kKey.stream + 1}, kStep) != reference);
  CHECK(permutation(100, kKey, kStep + 1) != reference);
}

TEST_CASE("all 24 permutations of 4 are equally likely") {
  constexpr int n = 24'000;
  std::array<int, 256> count{};
  for (std::uint32_t step = 0; step < n; ++step) {
    const auto order = permutation(4, kKey, step);
    ++count[static_cast<std::size_t>(order[0] + 4 * order[1] + 16 * order[2] + 64 * order[3])];
  }
  int seen = 0;
  double chi_squared = 0;
  for (const int c : count) {
    if (c == 0) continue;
    ++seen;
    chi_squared += (c - n / 24.) * (c - n / 24.) / (n / 24.);
  }
  CHECK(seen == 24);
  CHECK(chi_squared < 60);  // 23 degrees of freedom: exceeded once in 30,000
}
