#pragma once

#include <hwy/cache_control.h>

#include <cstddef>

namespace backdrop::kernels {

/// Asks memory for what will be read some time after x[0]. Where much is done with each vector, or other
/// kernels work between two runs of this one, the processor does not see far enough ahead by itself that x is
/// read in order.
template <class T>
HWY_INLINE void ask_ahead(const T* x) {
  constexpr std::size_t kBytes = 4096;
  hwy::Prefetch(reinterpret_cast<const char*>(x) + kBytes);
}

}  // namespace backdrop::kernels
