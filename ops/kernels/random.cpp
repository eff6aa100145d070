#include "kernels/random.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>

#include "kernels/arithmetic.hpp"
#include "kernels/math.hpp"

// Highway compiles this file once per instruction set; what stands before HWY_ONCE is in a namespace of its
// own each time. Vectors of unknown length cannot be members of a struct, so NEON stands in for them.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/random.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/philox-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {

using philox::Blocks;
using philox::kChains;
using philox::kLanes;

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
  write(key, step, first_block - skipped, skipped * kBlockBytes, n * kBlockBytes, philox::WriteBlocks{}, out);
}

void draw_mask(Key key, std::uint32_t step, DropThreshold drop, std::uint64_t first, std::size_t n,
               std::uint8_t* bits) {
  if (n == 0) return;  // then there need be no bits
  const std::size_t bytes = (n + 7) / 8;
  if (drop.bits == 0) {
    std::memset(bits, drop.value == 0 ? 0xFF : 0, bytes);
  } else {
    philox::with_bits_of(key, step, drop, [&]<class Make>(const Make& make) {
      write(key, step, first / 8 / Make::kBytes * kLanes, first / 8 % Make::kBytes, bytes, make, bits);
    });
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
  constexpr std::size_t kMost = 128;
  double radius[kMost], angle[kMost], cosine[kMost], sine[kMost], both[2 * kMost];
  const std::uint64_t end = first + n;
  for (std::uint64_t pair = first / 2, count = 0; 2 * pair < end; pair += count) {
    count = std::min<std::uint64_t>(kMost, (end - 1) / 2 - pair + 1);
    for_each_number<std::array<Number, 2>>(key, step, pair, count,
                                           [&](std::size_t k, const std::array<Number, 2>& w) {
                                             radius[k] = 1 - unit(w[0]);  // exact, and not 0
                                             angle[k] = 2 * std::numbers::pi * unit(w[1]);
                                           });
    math<double>().log(radius, radius, count);
    arithmetic<double>().scale(radius, -2, radius, count);
    arithmetic<double>().sqrt(radius, radius, count);
    math<double>().cos(angle, cosine, count);
    math<double>().sin(angle, sine, count);
    for (std::size_t k = 0; k < count; ++k) {
      both[2 * k] = radius[k] * cosine[k];
      both[2 * k + 1] = radius[k] * sine[k];
    }
    const std::uint64_t from = std::max(first, 2 * pair), to = std::min(end, 2 * (pair + count));
    for (std::uint64_t e = from; e < to; ++e) out[e - first] = static_cast<T>(both[e - 2 * pair]);
  }
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
