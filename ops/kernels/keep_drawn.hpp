#pragma once

#include <backdrop/core/random.hpp>
#include <cstddef>
#include <cstdint>

namespace backdrop::kernels {

/// Elements [first, first + count) of what is dropped by a key: y = kept ? x * factor : +0, with kept as in
/// draw_mask. The bits never leave the nearest cache, and what is to be read next comes while they are drawn.
template <class T>
struct KeepDrawn {
  Key key;
  std::uint32_t step;
  DropThreshold drop;
  T factor;
  const T* x;
  T* y;  ///< x itself, or apart from it
  std::uint64_t first;
  std::size_t count;
  bool streams;  ///< whether y is written past the caches
};

void keep_drawn(const KeepDrawn<float>& work);
void keep_drawn(const KeepDrawn<double>& work);

}  // namespace backdrop::kernels
