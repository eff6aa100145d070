#include "kernels/random.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>

// Highway compiles this file once per instruction set; what stands before HWY_ONCE is in a namespace of its
// own each time. Vectors of unknown length cannot be members of a struct, so NEON stands in for them.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/random.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

static_assert(std::endian::native == std::endian::little, "the stream of bits is little-endian");

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

constexpr std::size_t kBatchBlocks = 8;
constexpr std::size_t kBatchBytes = kBatchBlocks * kBlockBytes;

/// The blocks of one key and step, a batch at a time.
class Blocks {
 public:
  Blocks(Key key, std::uint32_t step) : key_(key), step_(step) {}

  void write_batch(std::uint64_t first_block, std::uint8_t* out) const {
    for (std::size_t i = 0; i < kBatchBlocks; ++i) {
      const auto words = random_block(key_, step_, first_block + i);
      std::memcpy(out + i * kBlockBytes, words.data(), kBlockBytes);
    }
  }

 private:
  Key key_;
  std::uint32_t step_;
};

/// Writes the mask bits that a batch of random numbers stands for, and returns whether any of them equals the
/// threshold.
template <class Number>
bool compare(const std::uint8_t* batch, Number threshold, std::uint8_t* bits) {
  bool tie = false;
  for (std::size_t i = 0; i < kBatchBytes / sizeof(Number); ++i) {
    Number u;
    std::memcpy(&u, batch + i * sizeof(Number), sizeof(Number));
    if (i % 8 == 0) bits[i / 8] = 0;
    bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | unsigned{u >= threshold} << i % 8);
    tie |= u == threshold;
  }
  return tie;
}

#else

constexpr hn::ScalableTag<std::uint64_t> kU64{};
constexpr hn::ScalableTag<std::uint32_t> kU32{};
using U64 = hn::Vec<decltype(kU64)>;

// A 64-bit lane computes one block. Several vectors run side by side to hide the latency of the
// multiplication: as many as the registers hold.
constexpr std::size_t kChains = HWY_TARGET == HWY_AVX3 ? 4 : 2;
constexpr std::size_t kLanes = hn::MaxLanes(kU64);
constexpr std::size_t kBatchBlocks = kChains * kLanes;
constexpr std::size_t kBatchBytes = kBatchBlocks * kBlockBytes;

/// The blocks of one key and step, a batch at a time.
class Blocks {
 public:
  Blocks(Key key, std::uint32_t step) : stream_(hn::Set(kU64, key.stream)), step_(hn::Set(kU64, step)) {
    auto k0 = static_cast<std::uint32_t>(key.seed);
    auto k1 = static_cast<std::uint32_t>(key.seed >> 32);
    for (std::size_t round = 0; round < kRounds; ++round) {
      key0_[round] = hn::Set(kU64, k0);
      key1_[round] = hn::Set(kU64, k1);
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
  }

  /// As philox4x32_10 in core/random.cpp. Only the lower half of a lane counts: the multiplication ignores
  /// what the upper halves gather on the way.
  HWY_INLINE void write_batch(std::uint64_t first_block, std::uint8_t* HWY_RESTRICT out) const {
    U64 c0[kChains], c1[kChains], c2[kChains], c3[kChains];
    for (std::size_t i = 0; i < kChains; ++i) {
      c0[i] = hn::Add(hn::Set(kU64, first_block + i * kLanes), lane_order());
      c1[i] = hn::ShiftRight<32>(c0[i]);
      c2[i] = stream_;
      c3[i] = step_;
    }
    const auto multiplier0 = hn::Set(kU32, 0xD2511F53);
    const auto multiplier1 = hn::Set(kU32, 0xCD9E8D57);
    for (std::size_t round = 0; round < kRounds; ++round) {
      for (std::size_t i = 0; i < kChains; ++i) {
        const auto product0 = hn::MulEven(hn::BitCast(kU32, c0[i]), multiplier0);
        const auto product1 = hn::MulEven(hn::BitCast(kU32, c2[i]), multiplier1);
        c0[i] = hn::Xor3(hn::ShiftRight<32>(product1), c1[i], key0_[round]);
        c1[i] = product1;
        c2[i] = hn::Xor3(hn::ShiftRight<32>(product0), c3[i], key1_[round]);
        c3[i] = product0;
      }
    }
    for (std::size_t i = 0; i < kChains; ++i) {
      const auto words01 = pack(c0[i], c1[i]);
      const auto words23 = pack(c2[i], c3[i]);
      auto* to = reinterpret_cast<std::uint64_t*>(out + i * kLanes * kBlockBytes);
      hn::StoreU(hn::InterleaveLower(kU64, words01, words23), kU64, to);
      hn::StoreU(hn::InterleaveUpper(kU64, words01, words23), kU64, to + kLanes);
    }
  }

 private:
  static constexpr std::size_t kRounds = 10;

  /// 0, N/2, 1, N/2 + 1, ...: interleaving takes the even lanes first, then the odd ones, and so restores the
  /// order.
  static HWY_INLINE U64 lane_order() {
    const auto lane = hn::Iota(kU64, 0);
    const auto odd = hn::And(lane, hn::Set(kU64, 1));
    return hn::Add(hn::ShiftRight<1>(lane),
                   hn::IfThenElseZero(hn::Ne(odd, hn::Zero(kU64)), hn::Set(kU64, kLanes / 2)));
  }

  /// low + 2^32 high, lane by lane.
  static HWY_INLINE U64 pack(U64 low, U64 high) {
    return hn::BitCast(kU64, hn::OddEven(hn::DupEven(hn::BitCast(kU32, high)), hn::BitCast(kU32, low)));
  }

  U64 key0_[kRounds], key1_[kRounds];
  U64 stream_, step_;
};

/// Writes the mask bits that a batch of random numbers stands for, and returns whether any of them equals the
/// threshold.
template <class Number>
HWY_INLINE bool compare(const std::uint8_t* HWY_RESTRICT batch, Number threshold,
                        std::uint8_t* HWY_RESTRICT bits) {
  const hn::ScalableTag<Number> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto t = hn::Set(d, threshold);
  auto ties = hn::Zero(d);
  for (std::size_t i = 0; i < kBatchBytes / sizeof(Number); i += lanes) {
    const auto u = hn::LoadU(d, reinterpret_cast<const Number*>(batch) + i);
    hn::StoreMaskBits(d, hn::Eq(hn::Max(u, t), u), bits + i / 8);
    ties = hn::Or(ties, hn::VecFromMask(d, hn::Eq(u, t)));
  }
  return !hn::AllFalse(d, hn::Ne(ties, hn::Zero(d)));
}

#endif

/// Decides the elements of a batch of 16-bit numbers that equal the threshold by 16 further bits.
HWY_NOINLINE void break_ties(Key key, std::uint32_t step, DropThreshold drop, std::uint64_t first_block,
                             const std::uint8_t* batch, std::uint8_t* bits) {
  for (std::size_t i = 0; i < kBatchBytes / 2; ++i) {
    std::uint16_t u;
    std::memcpy(&u, batch + 2 * i, sizeof u);
    if (u != drop.top()) continue;
    const auto words = random_block(key, step, kTieBlock + first_block + i / 8);
    const std::uint32_t finer = words[i % 8 / 2] >> i % 2 * 16 & 0xFFFF;
    if (finer < drop.value % (1u << 16))
      bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] & ~(1u << i % 8));
  }
}

void clear_unused(std::size_t n, std::uint8_t* bits) {
  if (n % 8 != 0) bits[n / 8] = static_cast<std::uint8_t>(bits[n / 8] & ((1u << n % 8) - 1));
}

template <unsigned kBits>
void draw_bits(Key key, std::uint32_t step, DropThreshold drop, std::uint64_t first, std::size_t n,
               std::uint8_t* bits) {
  constexpr std::size_t kElementsPerBlock = 8 * kBlockBytes / kBits;
  constexpr std::size_t kMaskBytes = kBatchBytes / kBits;
  const Blocks blocks(key, step);
  const auto draw_batch = [&](std::uint64_t block, std::uint8_t* out) HWY_ATTR {
    if constexpr (kBits == 1) {
      blocks.write_batch(block, out);  // t = 1: the random bits are the mask
    } else {
      HWY_ALIGN std::uint8_t batch[kBatchBytes];
      blocks.write_batch(block, batch);
      if constexpr (kBits == 8) {
        compare(batch, static_cast<std::uint8_t>(drop.top()), out);
      } else {
        const bool ties = compare(batch, static_cast<std::uint16_t>(drop.top()), out);
        if (HWY_UNLIKELY(ties)) break_ties(key, step, drop, block, batch, out);
      }
    }
  };

  // Only the first batch may begin, and only the last one may end, inside a block.
  std::uint64_t block = first / kElementsPerBlock;
  std::size_t skipped = first % kElementsPerBlock / 8;
  const std::size_t bytes = (n + 7) / 8;
  for (std::size_t i = 0; i < bytes;) {
    const std::size_t count = std::min(bytes - i, kMaskBytes - skipped);
    if (count == kMaskBytes) {
      draw_batch(block, bits + i);
    } else {
      std::uint8_t whole[kMaskBytes];
      draw_batch(block, whole);
      std::memcpy(bits + i, whole + skipped, count);
    }
    i += count;
    block += kBatchBlocks;
    skipped = 0;
  }
  clear_unused(n, bits);
}

void fill_bits(bool kept, std::size_t n, std::uint8_t* bits) {
  std::memset(bits, kept ? 0xFF : 0, (n + 7) / 8);
  clear_unused(n, bits);
}

/// Any number of blocks.
void write_blocks(Key key, std::uint32_t step, std::uint64_t first_block, std::size_t n, std::uint8_t* out) {
  const Blocks blocks(key, step);
  std::size_t i = 0;
  for (; i + kBatchBlocks <= n; i += kBatchBlocks) blocks.write_batch(first_block + i, out + i * kBlockBytes);
  if (i == n) return;
  std::uint8_t whole[kBatchBytes];
  blocks.write_batch(first_block + i, whole);
  std::memcpy(out + i * kBlockBytes, whole, (n - i) * kBlockBytes);
}

void draw_mask(Key key, std::uint32_t step, DropThreshold drop, std::uint64_t first, std::size_t n,
               std::uint8_t* bits) {
  switch (drop.bits) {
    case 0:
      return fill_bits(drop.value == 0, n, bits);
    case 1:
      return draw_bits<1>(key, step, drop, first, n, bits);
    case 8:
      return draw_bits<8>(key, step, drop, first, n, bits);
    default:
      return draw_bits<16>(key, step, drop, first, n, bits);
  }
}

}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backdrop::kernels {
namespace {

HWY_EXPORT(draw_mask);
HWY_EXPORT(write_blocks);

/// Calls use(i, number) for numbers first .. first + n - 1 of the stream, i counting from 0, where a Number
/// is a part of a block: an integer or an array of them.
template <class Number, class Use>
void for_each_number(Key key, std::uint32_t step, std::uint64_t first, std::size_t n, Use use) {
  constexpr std::size_t kPerBlock = kBlockBytes / sizeof(Number);
  std::array<Number, 2048 / sizeof(Number)> chunk;
  std::uint64_t block = first / kPerBlock;
  std::size_t skipped = first % kPerBlock;
  for (std::size_t i = 0; i < n;) {
    const std::size_t count = std::min(n - i, chunk.size() - skipped);
    HWY_DYNAMIC_DISPATCH(write_blocks)
    (key, step, block, (skipped + count + kPerBlock - 1) / kPerBlock,
     reinterpret_cast<std::uint8_t*>(chunk.data()));
    for (std::size_t j = 0; j < count; ++j) use(i + j, chunk[skipped + j]);
    i += count;
    block += chunk.size() / kPerBlock;
    skipped = 0;
  }
}

/// All bits of a word, or as many as f64 holds of two, as a multiple of 2^-32 or 2^-53 in [0, 1). Through
/// signed integers, which x86 converts in one instruction.
double unit(std::uint32_t w) { return static_cast<double>(static_cast<std::int64_t>(w)) * 0x1p-32; }
double unit(std::uint64_t w) { return static_cast<double>(static_cast<std::int64_t>(w >> 11)) * 0x1p-53; }

template <class Number, class T>
void box_muller(Key key, std::uint32_t step, std::uint64_t first, std::size_t n, T* out) {
  if (n == 0) return;
  const std::uint64_t end = first + n;
  const std::uint64_t first_pair = first / 2;
  const auto pairs = static_cast<std::size_t>((end - 1) / 2 - first_pair + 1);
  for_each_number<std::array<Number, 2>>(
      key, step, first_pair, pairs, [&](std::size_t k, const std::array<Number, 2>& w) {
        const double r = std::sqrt(-2 * std::log(1 - unit(w[0])));  // 1 - unit is exact, and not 0
        const double angle = 2 * std::numbers::pi * unit(w[1]);
        const std::uint64_t e = 2 * (first_pair + k);
        if (e >= first) out[e - first] = static_cast<T>(r * std::cos(angle));
        if (e + 1 < end) out[e + 1 - first] = static_cast<T>(r * std::sin(angle));
      });
}

}  // namespace

void draw_mask(Key key, std::uint32_t step, DropThreshold drop, std::uint64_t first, std::size_t n,
               std::uint8_t* bits) {
  HWY_DYNAMIC_DISPATCH(draw_mask)(key, step, drop, first, n, bits);
}

void uniform(Key key, std::uint32_t step, std::uint64_t first, std::size_t n, float* out) {
  for_each_number<std::uint32_t>(key, step, first, n, [out](std::size_t i, std::uint32_t w) {
    out[i] = static_cast<float>(static_cast<std::int32_t>(w >> 8)) * 0x1p-24f;
  });
}

void uniform(Key key, std::uint32_t step, std::uint64_t first, std::size_t n, double* out) {
  for_each_number<std::uint64_t>(key, step, first, n,
                                 [out](std::size_t i, std::uint64_t w) { out[i] = unit(w); });
}

void normal(Key key, std::uint32_t step, std::uint64_t first, std::size_t n, float* out) {
  box_muller<std::uint32_t>(key, step, first, n, out);
}

void normal(Key key, std::uint32_t step, std::uint64_t first, std::size_t n, double* out) {
  box_muller<std::uint64_t>(key, step, first, n, out);
}

}  // namespace backdrop::kernels
#endif  // HWY_ONCE
