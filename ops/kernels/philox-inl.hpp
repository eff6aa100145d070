// The random stream in vectors, for files that Highway compiles once per instruction set: blocks of Philox,
// and the mask bits that they stand for. The stream is described in backdrop/core/random.hpp.
#if defined(BACKDROP_KERNELS_PHILOX_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BACKDROP_KERNELS_PHILOX_INL
#undef BACKDROP_KERNELS_PHILOX_INL
#else
#define BACKDROP_KERNELS_PHILOX_INL
#endif

#include <hwy/highway.h>

#include <backdrop/core/random.hpp>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "kernels/random.hpp"

static_assert(std::endian::native == std::endian::little, "the stream of bits is little-endian");

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace philox {

namespace hn = hwy::HWY_NAMESPACE;

/// Decides the elements that equal the 16-bit threshold, in n blocks of numbers, by 16 further bits each.
HWY_NOINLINE inline void break_ties(Key key, std::uint32_t step, DropThreshold drop,
                                    std::uint64_t first_block, std::size_t n, std::uint8_t* bits) {
  const auto number = [](const auto& words, std::size_t i) { return words[i / 2] >> i % 2 * 16 & 0xFFFF; };
  for (std::size_t k = 0; k < n; ++k) {
    const auto words = random_block(key, step, first_block + k);
    for (std::size_t i = 0; i < 8; ++i) {
      if (number(words, i) != drop.top()) continue;
      const auto finer = random_block(key, step, kTieBlock + first_block + k);
      if (number(finer, i) < drop.value % (1u << 16)) {
        bits[k] = static_cast<std::uint8_t>(bits[k] & ~(1u << i));
      }
    }
  }
}

#if HWY_TARGET == HWY_SCALAR

constexpr std::size_t kChains = 1, kLanes = 1;

class Blocks {
 public:
  Blocks(Key key, std::uint32_t step, std::uint32_t) : key_(key), step_(step) {}
  auto operator[](std::uint64_t block) const { return random_block(key_, step_, block); }

 private:
  Key key_;
  std::uint32_t step_;
};

struct WriteBlocks {
  static constexpr std::size_t kBytes = kBlockBytes;

  template <std::size_t>
  void batch(const Blocks& blocks, std::uint64_t block, std::uint8_t* out) const {
    const auto words = blocks[block];
    std::memcpy(out, words.data(), kBlockBytes);
  }
};

template <class Number>
struct Compare {
  static constexpr std::size_t kBytes = kBlockBytes / sizeof(Number) / 8;

  Key key;
  std::uint32_t step;
  DropThreshold drop;

  template <std::size_t>
  void batch(const Blocks& blocks, std::uint64_t block, std::uint8_t* bits) const {
    const auto words = blocks[block];
    Number u[kBlockBytes / sizeof(Number)];
    std::memcpy(u, words.data(), kBlockBytes);
    bool tie = false;
    for (std::size_t i = 0; i < std::size(u); ++i) {
      if (i % 8 == 0) bits[i / 8] = 0;
      bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | unsigned{u[i] >= drop.top()} << i % 8);
      tie |= u[i] == drop.top();
    }
    if (sizeof(Number) == 2 && tie) break_ties(key, step, drop, block, 1, bits);
  }
};

#else

constexpr hn::ScalableTag<std::uint64_t> kU64{};
constexpr hn::ScalableTag<std::uint32_t> kU32{};
using U64 = hn::Vec<decltype(kU64)>;

// A 64-bit lane computes one block. Several vectors run side by side to hide the latency of the
// multiplication: as many as the registers hold.
constexpr std::size_t kChains = HWY_TARGET == HWY_AVX3 ? 4 : 2;
constexpr std::size_t kLanes = hn::MaxLanes(kU64);

/// The blocks of one key and step whose numbers have the same upper half.
class Blocks {
 public:
  Blocks(Key key, std::uint32_t step, std::uint32_t upper) {
    std::uint32_t key0[kRounds], key1[kRounds];
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      key0[round] = static_cast<std::uint32_t>(key.seed) + round * 0x9E3779B9;
      key1[round] = static_cast<std::uint32_t>(key.seed >> 32) + round * 0xBB67AE85;
    }
    // What all blocks have in common on the way through the first rounds is part of their keys.
    const std::uint64_t stream = std::uint64_t{kMultiplier1} * key.stream;
    const std::uint64_t common =
        std::uint64_t{kMultiplier0} * (static_cast<std::uint32_t>(stream >> 32) ^ upper ^ key0[0]);
    key1[0] ^= step;
    key0[1] ^= static_cast<std::uint32_t>(stream);
    key1[1] ^= static_cast<std::uint32_t>(common >> 32);
    key1[2] ^= static_cast<std::uint32_t>(common);
    for (std::size_t round = 0; round < kRounds; ++round) {
      key0_[round] = hn::Set(kU64, key0[round]);
      key1_[round] = hn::Set(kU64, key1[round]);
    }
  }

  /// As philox4x32_10 in core/random.cpp, for n kLanes blocks. Only the lower half of a lane counts: the
  /// multiplication ignores what the upper halves gather on the way. Calls use(i, lower, upper) for n pairs
  /// of vectors of blocks in order.
  template <std::size_t n, class Use>
  HWY_INLINE void draw(std::uint64_t first_block, Use use) const {
    U64 c0[n], c1[n], c2[n], c3[n];
    const auto multiplier0 = hn::Set(kU32, kMultiplier0);
    const auto multiplier1 = hn::Set(kU32, kMultiplier1);
    const auto times = [](U64 v, auto multiplier)
                           HWY_ATTR { return hn::MulEven(hn::BitCast(kU32, v), multiplier); };
    for (std::size_t i = 0; i < n; ++i) {
      const auto counter = hn::Add(hn::Set(kU64, first_block + i * kLanes), lane_order());
      const auto product0 = times(counter, multiplier0);
      c1[i] = times(hn::Xor(hn::ShiftRight<32>(product0), key1_[0]), multiplier1);
      c0[i] = hn::Xor(hn::ShiftRight<32>(c1[i]), key0_[1]);
      c2[i] = hn::Xor(product0, key1_[1]);
      c3[i] = hn::Zero(kU64);
    }
    for (std::size_t round = 2; round < kRounds; ++round) {
      for (std::size_t i = 0; i < n; ++i) {
        const auto product0 = times(c0[i], multiplier0);
        const auto product1 = times(c2[i], multiplier1);
        c0[i] = hn::Xor3(hn::ShiftRight<32>(product1), c1[i], key0_[round]);
        c1[i] = product1;
        c2[i] = hn::Xor3(hn::ShiftRight<32>(product0), c3[i], key1_[round]);
        c3[i] = product0;
      }
    }
    for (std::size_t i = 0; i < n; ++i) {
      const auto words01 = pack(c0[i], c1[i]);
      const auto words23 = pack(c2[i], c3[i]);
      use(i, hn::InterleaveLower(kU64, words01, words23), hn::InterleaveUpper(kU64, words01, words23));
    }
  }

 private:
  static constexpr std::uint32_t kRounds = 10;
  static constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;

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
};

/// The blocks themselves; also the mask of t = 1, b = 1, which the random bits are.
struct WriteBlocks {
  static constexpr std::size_t kBytes = kLanes * kBlockBytes;

  template <std::size_t n>
  HWY_INLINE void batch(const Blocks& blocks, std::uint64_t block, std::uint8_t* HWY_RESTRICT out) const {
    auto* to = reinterpret_cast<std::uint64_t*>(out);
    blocks.draw<n>(block, [=](std::size_t i, U64 lower, U64 upper) HWY_ATTR {
      hn::StoreU(lower, kU64, to + 2 * i * kLanes);
      hn::StoreU(upper, kU64, to + (2 * i + 1) * kLanes);
    });
  }
};

/// The mask bits that the numbers in the blocks stand for.
template <class Number>
struct Compare {
  static constexpr std::size_t kBytes = kLanes * kBlockBytes / sizeof(Number) / 8;

  Key key;
  std::uint32_t step;
  DropThreshold drop;

  template <std::size_t n>
  HWY_INLINE void batch(const Blocks& blocks, std::uint64_t block, std::uint8_t* HWY_RESTRICT bits) const {
    const auto t = hn::Set(kNumbers, static_cast<Number>(drop.top()));
    auto ties = hn::MaskFromVec(hn::Zero(kNumbers));
    blocks.draw<n>(block, [&](std::size_t i, U64 lower, U64 upper) HWY_ATTR {
      const auto u0 = hn::BitCast(kNumbers, lower), u1 = hn::BitCast(kNumbers, upper);
      store(kept(u0, t), kept(u1, t), bits + i * kBytes);
      if (sizeof(Number) == 2) ties = hn::Or(ties, hn::Or(hn::Eq(u0, t), hn::Eq(u1, t)));
    });
    if (sizeof(Number) == 2 && HWY_UNLIKELY(!hn::AllFalse(kNumbers, ties))) {
      break_ties(key, step, drop, block, n * kLanes, bits);
    }
  }

 private:
  static constexpr hn::ScalableTag<Number> kNumbers{};
  using Numbers = hn::Vec<decltype(kNumbers)>;

  /// Whether u >= t, as bits; those above do not count.
  static HWY_INLINE std::uint64_t kept(Numbers u, Numbers t) {
    constexpr bool kCompares = HWY_TARGET <= HWY_AVX3;  // numbers without sign, in one instruction
    const auto mask = kCompares ? hn::Gt(t, u) : hn::Eq(hn::Max(u, t), u);
    std::uint64_t bits = 0;
    hn::StoreMaskBits(kNumbers, mask, reinterpret_cast<std::uint8_t*>(&bits));
    return kCompares ? ~bits : bits;
  }

  /// In as few pieces as can be: what reads them soon waits for more than one.
  static HWY_INLINE void store(std::uint64_t lower, std::uint64_t upper, std::uint8_t* to) {
    constexpr std::size_t kHalf = kBytes / 2;
    if constexpr (kHalf < sizeof lower) {
      const std::uint64_t both = (lower & ((std::uint64_t{1} << 8 * kHalf) - 1)) | upper << 8 * kHalf;
      std::memcpy(to, &both, kBytes);
    } else {
      std::memcpy(to, &lower, kHalf);
      std::memcpy(to + kHalf, &upper, kHalf);
    }
  }
};

#endif

/// Calls use(make) with what makes the mask bits of a threshold that needs any to be drawn.
template <class Use>
void with_bits_of(Key key, std::uint32_t step, DropThreshold drop, Use use) {
  if (drop.bits == 1) {
    use(WriteBlocks{});
  } else if (drop.bits == 8) {
    use(Compare<std::uint8_t>{key, step, drop});
  } else {
    use(Compare<std::uint16_t>{key, step, drop});
  }
}

}  // namespace philox
}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
