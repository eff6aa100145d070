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

/// Decides the elements that equal the 16-bit threshold, in n blocks of numbers, by 16 further bits each.
HWY_NOINLINE void break_ties(Key key, std::uint32_t step, DropThreshold drop, std::uint64_t first_block,
                             std::size_t n, std::uint8_t* bits) {
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
  /// multiplication ignores what the upper halves gather on the way. Calls use(i, blocks) for 2n vectors of
  /// blocks in order.
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
      use(2 * i, hn::InterleaveLower(kU64, words01, words23));
      use(2 * i + 1, hn::InterleaveUpper(kU64, words01, words23));
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
    blocks.draw<n>(block, [=](std::size_t i, U64 v) HWY_ATTR { hn::StoreU(v, kU64, to + i * kLanes); });
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
    const hn::ScalableTag<Number> d;
    const auto t = hn::Set(d, static_cast<Number>(drop.top()));
    auto ties = hn::MaskFromVec(hn::Zero(d));
    blocks.draw<n>(block, [&](std::size_t i, U64 v) HWY_ATTR {
      const auto u = hn::BitCast(d, v);
      hn::StoreMaskBits(d, hn::Eq(hn::Max(u, t), u), bits + i * kBytes / 2);
      if (sizeof(Number) == 2) ties = hn::Or(ties, hn::Eq(u, t));
    });
    if (sizeof(Number) == 2 && HWY_UNLIKELY(!hn::AllFalse(d, ties))) {
      break_ties(key, step, drop, block, n * kLanes, bits);
    }
  }
};

#endif

/// Writes n bytes of what make writes, kBytes for every kLanes blocks, from byte `skipped` of those at
/// `block` on.
template <class Make>
void write(Key key, std::uint32_t step, std::uint64_t block, std::size_t skipped, std::size_t n,
           const Make& make, std::uint8_t* out) {
  constexpr std::size_t kBatch = kChains * Make::kBytes;
  while (n > 0) {
    const auto upper = static_cast<std::uint32_t>(block >> 32);
    const Blocks blocks(key, step, upper);
    while (n > 0 && block >> 32 == upper) {
      if (skipped == 0 && n >= kBatch && (block + kChains * kLanes - 1) >> 32 == upper) {
        make.template batch<kChains>(blocks, block, out);
        block += kChains * kLanes;
        out += kBatch;
        n -= kBatch;
      } else {
        std::uint8_t whole[Make::kBytes];
        make.template batch<1>(blocks, block, whole);
        const std::size_t count = std::min(n, Make::kBytes - skipped);
        std::memcpy(out, whole + skipped, count);
        skipped = 0;
        block += kLanes;
        out += count;
        n -= count;
      }
    }
  }
}

void clear_unused(std::size_t n, std::uint8_t* bits) {
  if (n % 8 != 0) bits[n / 8] = static_cast<std::uint8_t>(bits[n / 8] & ((1u << n % 8) - 1));
}

/// Any number of blocks.
void write_blocks(Key key, std::uint32_t step, std::uint64_t first_block, std::size_t n, std::uint8_t* out) {
  const std::size_t skipped = first_block % kLanes;
  write(key, step, first_block - skipped, skipped * kBlockBytes, n * kBlockBytes, WriteBlocks{}, out);
}

void draw_mask(Key key, std::uint32_t step, DropThreshold drop, std::uint64_t first, std::size_t n,
               std::uint8_t* bits) {
  const std::size_t bytes = (n + 7) / 8;
  const auto draw = [&]<class Make>(const Make& make) {
    write(key, step, first / 8 / Make::kBytes * kLanes, first / 8 % Make::kBytes, bytes, make, bits);
  };
  if (drop.bits == 0) {
    std::memset(bits, drop.value == 0 ? 0xFF : 0, bytes);
  } else if (drop.bits == 1) {
    draw(WriteBlocks{});
  } else if (drop.bits == 8) {
    draw(Compare<std::uint8_t>{key, step, drop});
  } else {
    draw(Compare<std::uint16_t>{key, step, drop});
  }
  clear_unused(n, bits);
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
