#include <backdrop/core/error.hpp>
#include <backdrop/core/random.hpp>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>

namespace backdrop {
namespace {

void check_probability(double p) {
  if (p >= 0 && p <= 1) return;  // in this sense, so that NaN is refused too
  std::array<char, 32> shortest{};
  const auto end = std::to_chars(shortest.data(), shortest.data() + shortest.size(), p).ptr;
  throw ValueError("p = " + std::string(shortest.data(), end) +
                   " is no probability of dropping; give 0 <= p <= 1");
}

constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

/// The b bits of the stream that element e owns, counted from block `first_block`.
std::uint32_t element_bits(Key key, std::uint32_t step, std::uint64_t first_block, unsigned b,
                           std::uint64_t e) {
  const unsigned elements_per_block = 128 / b;
  const auto words = random_block(key, step, first_block + e / elements_per_block);
  const unsigned position = static_cast<unsigned>(e % elements_per_block) * b;
  return (words[position / 32] >> (position % 32)) & ((1u << b) - 1);
}

/// The stream of a key read as 64-bit numbers.
class Numbers {
 public:
  Numbers(Key key, std::uint32_t step) : key_(key), step_(step) {}

  /// Uniform in [0, bound), bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t rejected = (0 - bound) % bound;  // = 2^64 mod bound
    std::uint64_t r = next();
    while (r < rejected) r = next();
    return r % bound;
  }

 private:
  std::uint64_t next() {
    if (position_ % 2 == 0) words_ = random_block(key_, step_, position_ / 2);
    const std::size_t i = 2 * (position_++ % 2);
    return words_[i] | std::uint64_t{words_[i + 1]} << 32;
  }

  Key key_;
  std::uint32_t step_;
  std::uint64_t position_ = 0;
  std::array<std::uint32_t, 4> words_{};
};

}  // namespace

Key Keys::next() {
  if (stream_ >> 32 != 0) {
    throw ValueError("Keys: all 2^32 streams of seed " + std::to_string(seed_) +
                     " are used up; take another seed");
  }
  return {seed_, static_cast<std::uint32_t>(stream_++)};
}

std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key) {
  auto [c0, c1, c2, c3] = counter;
  auto [k0, k1] = key;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53} * c0;
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * c2;
    c0 = high(product1) ^ c1 ^ k0;
    c1 = low(product1);
    c2 = high(product0) ^ c3 ^ k1;
    c3 = low(product0);
    k0 += 0x9E3779B9;  // the golden ratio
    k1 += 0xBB67AE85;  // sqrt(3) - 1
  }
  return {c0, c1, c2, c3};
}

std::array<std::uint32_t, 4> random_block(Key key, std::uint32_t step, std::uint64_t block) {
  return philox4x32_10({low(block), high(block), key.stream, step}, {low(key.seed), high(key.seed)});
}

DropThreshold::DropThreshold(double p) {
  check_probability(p);
  value = static_cast<std::uint64_t>(std::round(p * 0x1p32));
  if (value == 0 || value == std::uint64_t{1} << 32) {
    bits = 0;
  } else if (value == std::uint64_t{1} << 31) {
    bits = 1;
  } else {
    bits = value % (1u << 24) == 0 ? 8 : 16;
  }
}

bool kept(Key key, std::uint32_t step, double p, std::uint64_t element) {
  const DropThreshold drop(p);
  if (drop.bits == 0) return drop.value == 0;
  const std::uint32_t u = element_bits(key, step, 0, drop.bits, element);
  const bool tie = drop.bits == 16 && u == drop.top();
  if (!tie) return u >= drop.top();
  return element_bits(key, step, kTieBlock, 16, element) >= drop.value % (1u << 16);
}

double keep_scale(double p) {
  check_probability(p);
  return p == 1 ? 0 : 1 / (1 - p);
}

void fill_permutation(std::span<std::int64_t> indices, Key key, std::uint32_t step) {
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  Numbers numbers(key, step);
  for (std::size_t i = indices.size(); i-- > 1;) {
    std::swap(indices[i], indices[numbers.below(i + 1)]);
  }
}

}  // namespace backdrop
