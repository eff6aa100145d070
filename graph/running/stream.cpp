#include "running/stream.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

// Highway compiles what stands before HWY_ONCE once per instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "running/stream.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace backdrop::running::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void stream(std::uint8_t* to, const std::uint8_t* from, std::size_t bytes) {
  const hn::ScalableTag<std::uint8_t> d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t unaligned = (lanes - reinterpret_cast<std::uintptr_t>(to) % lanes) % lanes;
  std::size_t k = std::min(unaligned, bytes);
  std::memcpy(to, from, k);
  for (; k + lanes <= bytes; k += lanes) hn::Stream(hn::LoadU(d, from + k), d, to + k);
  std::memcpy(to + k, from + k, bytes - k);
}

}  // namespace backdrop::running::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backdrop::running {

namespace {

HWY_EXPORT(stream);

}  // namespace

void stream(void* to, const void* from, std::size_t bytes) {
  HWY_DYNAMIC_DISPATCH(stream)(static_cast<std::uint8_t*>(to), static_cast<const std::uint8_t*>(from), bytes);
}

void end_streaming() { hwy::FlushStream(); }

}  // namespace backdrop::running
#endif  // HWY_ONCE
