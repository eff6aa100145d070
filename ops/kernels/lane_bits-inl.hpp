// Bits of masks as masks of vectors, for files that Highway compiles once per instruction set.
#if defined(BACKDROP_KERNELS_LANE_BITS_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BACKDROP_KERNELS_LANE_BITS_INL
#undef BACKDROP_KERNELS_LANE_BITS_INL
#else
#define BACKDROP_KERNELS_LANE_BITS_INL
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace lane_bits {

namespace hn = hwy::HWY_NAMESPACE;

// Masks are read and written in groups of 64 elements, shifted to where a vector of fewer than 8 lanes needs
// its bits.
constexpr std::size_t kGroup = 64;

HWY_INLINE std::uint64_t load_bits(const std::uint8_t* mask, std::size_t n) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, mask, (n + 7) / 8);
  return bits;
}

template <class T>
using Tag = hn::ScalableTag<T>;

/// Bits of masks as masks of vectors. Without registers for masks, a word of 32 bits is compared with the bit
/// that each lane looks at, once for every vector of 32 elements.
template <class T>
class LaneBits {
 public:
  LaneBits() {
    if constexpr (!kNative) {
      for (std::size_t i = 0; i < kVectors; ++i) {
        const auto first = hn::Set(kUnsigned, static_cast<U>(i * kLanes));
        bit_[i] = hn::Shl(hn::Set(kUnsigned, U{1}), hn::Add(hn::Iota(kUnsigned, 0), first));
      }
    }
  }

  HWY_INLINE hn::Mask<Tag<T>> at(std::uint64_t bits, std::size_t lane) const {
    if constexpr (kNative) {
      bits >>= lane;
      return hn::LoadMaskBits(Tag<T>(), reinterpret_cast<const std::uint8_t*>(&bits));
    } else {
      const auto word =
          hn::Set(kUnsigned, static_cast<U>(static_cast<std::uint32_t>(bits >> lane / 32 * 32)));
      return hn::RebindMask(Tag<T>(), hn::TestBit(word, bit_[lane % 32 / kLanes]));
    }
  }

 private:
  using U = hwy::MakeUnsigned<T>;
  static constexpr hn::Rebind<U, Tag<T>> kUnsigned{};
  static constexpr std::size_t kLanes = hn::MaxLanes(Tag<T>()), kVectors = 32 / kLanes;
  static constexpr bool kNative = HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_SCALAR;

  hn::Vec<hn::Rebind<U, Tag<T>>> bit_[kVectors];
};

}  // namespace lane_bits
}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
