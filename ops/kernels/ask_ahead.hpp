#pragma once

#include <hwy/cache_control.h>

#include <cstddef>
#include <cstdint>

namespace backdrop::kernels {

constexpr std::size_t kPage = 4096, kLine = 64;

/// Both are called before x[0], ..., x[kCount - 1] are read, of an array that is read in order.
///
/// Where nothing else is done in between: asks memory for the beginning of the next page, shortly before x
/// arrives there. Within a page the processor looks ahead by itself; to be asked for each line costs a Zen 4
/// a fifth more than it gains.
template <std::size_t kCount, class T>
HWY_INLINE void ask_for_next_page(const T* x) {
  constexpr std::size_t kAhead = 1024, kBytes = kCount * sizeof(T);
  const char* const ahead = reinterpret_cast<const char*>(x) + kAhead;
  if (reinterpret_cast<std::uintptr_t>(ahead) % kPage >= kBytes) return;
  for (std::size_t k = 0; k < kBytes; k += kLine) hwy::Prefetch(ahead + k);
}

/// Where there is work to do while memory is waited for: asks for each line.
template <std::size_t kCount, class T>
HWY_INLINE void ask_ahead(const T* x) {
  const char* const ahead = reinterpret_cast<const char*>(x) + kPage;
  for (std::size_t k = 0; k < kCount * sizeof(T); k += kLine) hwy::Prefetch(ahead + k);
}

}  // namespace backdrop::kernels
