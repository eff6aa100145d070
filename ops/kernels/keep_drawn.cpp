#include "kernels/keep_drawn.hpp"

#include <algorithm>

#include "kernels/arithmetic.hpp"
#include "kernels/ask_ahead.hpp"
#include "kernels/random.hpp"

// Highway compiles what stands before HWY_ONCE once per instruction set. Vectors of unknown length cannot be
// members of a struct, so NEON stands in for them.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/keep_drawn.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/lane_bits-inl.hpp"
#include "kernels/philox-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using philox::kChains;
using philox::kLanes;

/// As few vectors side by side as give a piece of some hundred elements: where pieces are short, the
/// processor draws one while it waits for the memory of another.
template <class Make>
constexpr std::size_t kBeside = std::clamp<std::size_t>(256 / (Make::kBytes * 8), 1, kChains);

/// The mask is drawn and used in pieces of this many elements: what is drawn side by side, and whole groups
/// of bits.
template <class Make>
constexpr std::size_t kPiece = std::max(kBeside<Make>* Make::kBytes * 8, lane_bits::kGroup);

template <class T, bool kStreams>
class Keeping {
 public:
  explicit Keeping(T factor) : factor_(hn::Set(kTag, factor)) {}

  /// Of n elements, a multiple of kGroup, between two times of drawing.
  template <std::size_t n>
  HWY_INLINE void keep(const T* x, const std::uint8_t* bits, T* y) const {
    for (std::size_t k = 0; k < n; k += lane_bits::kGroup) {
      if constexpr (n * sizeof(T) < kPage) {
        ask_ahead<lane_bits::kGroup>(x + k);
      } else {
        ask_for_next_page<lane_bits::kGroup>(x + k);
      }
      const std::uint64_t group = lane_bits::load_bits(bits + k / 8, lane_bits::kGroup);
      for (std::size_t i = 0; i < lane_bits::kGroup; i += hn::Lanes(kTag)) {
        const auto kept = hn::Mul(hn::LoadU(kTag, x + k + i), factor_);
        write(hn::IfThenElseZero(masks_.at(group, i), kept), y + k + i);
      }
    }
  }

 private:
  static constexpr lane_bits::Tag<T> kTag{};

  static HWY_INLINE void write(hn::Vec<lane_bits::Tag<T>> v, T* y) {
    if constexpr (kStreams) {
      hn::Stream(v, kTag, y);
    } else {
      hn::StoreU(v, kTag, y);
    }
  }

  lane_bits::LaneBits<T> masks_;
  hn::Vec<lane_bits::Tag<T>> factor_;
};

/// Elements [begin, end) by a mask that is drawn first, where they are no whole piece.
template <class T>
void keep_few(const KeepDrawn<T>& work, std::size_t begin, std::size_t end) {
  constexpr std::size_t kMost = 4096;
  for (; begin < end; begin += kMost) {
    const std::size_t n = std::min(end - begin, kMost);
    const std::uint64_t first = work.first + begin;
    const auto skipped = static_cast<unsigned>(first % 8);  // bits of the first byte
    std::uint8_t bits[kMost / 8 + 2] = {};
    draw_mask(work.key, work.step, work.drop, first - skipped, n + skipped, bits);
    for (std::size_t k = 0; skipped > 0 && k < (n + 7) / 8; ++k) {
      bits[k] = static_cast<std::uint8_t>((bits[k] | unsigned{bits[k + 1]} << 8) >> skipped);
    }
    arithmetic<T>().keep_scaled(work.x + begin, bits, work.factor, work.y + begin, n);
  }
}

template <bool kStreams, class T, class Make>
void keep_pieces(const KeepDrawn<T>& work, const Make& make, std::size_t begin, std::size_t end) {
  constexpr std::size_t kBatch = kBeside<Make> * kLanes, kBits = Make::kBytes * kBeside<Make> * 8;
  const Keeping<T, kStreams> keeping(work.factor);
  const auto block_of = [&](std::size_t k) { return (work.first + k) / kBits * kBatch; };
  while (begin < end) {
    const std::uint64_t upper = block_of(begin) >> 32;
    const philox::Blocks blocks(work.key, work.step, static_cast<std::uint32_t>(upper));
    for (; begin < end && block_of(begin) >> 32 == upper; begin += kPiece<Make>) {
      HWY_ALIGN std::uint8_t bits[kPiece<Make> / 8];
      for (std::size_t k = 0; k < kPiece<Make>; k += kBits) {
        make.template batch<kBeside<Make>>(blocks, block_of(begin + k), bits + k / 8);
      }
      keeping.template keep<kPiece<Make>>(work.x + begin, bits, work.y + begin);
    }
  }
  if (kStreams) hwy::FlushStream();
}

template <class T>
void keep(const KeepDrawn<T>& work) {
  if (work.drop.bits == 0) return keep_few(work, 0, work.count);
  philox::with_bits_of(work.key, work.step, work.drop, [&]<class Make>(const Make& make) {
    constexpr std::uint64_t kSize = kPiece<Make>;
    const std::size_t begin = std::min<std::uint64_t>(work.count, (kSize - work.first % kSize) % kSize);
    const std::size_t end = begin + (work.count - begin) / kSize * kSize;
    const auto address = reinterpret_cast<std::uintptr_t>(work.y + begin);
    const bool streams = work.streams && address % sizeof(hn::Vec<lane_bits::Tag<T>>) == 0;
    keep_few(work, 0, begin);
    if (streams) {
      keep_pieces<true>(work, make, begin, end);
    } else {
      keep_pieces<false>(work, make, begin, end);
    }
    keep_few(work, end, work.count);
  });
}

void keep_f32(const KeepDrawn<float>& work) { keep(work); }
void keep_f64(const KeepDrawn<double>& work) { keep(work); }

}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backdrop::kernels {

namespace {

HWY_EXPORT(keep_f32);
HWY_EXPORT(keep_f64);

}  // namespace

void keep_drawn(const KeepDrawn<float>& work) { HWY_DYNAMIC_DISPATCH(keep_f32)(work); }
void keep_drawn(const KeepDrawn<double>& work) { HWY_DYNAMIC_DISPATCH(keep_f64)(work); }

}  // namespace backdrop::kernels
#endif  // HWY_ONCE
