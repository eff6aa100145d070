#pragma once

#include <backdrop/core/op.hpp>
#include <cstdint>

/// Loops for elementwise kernels. Each element is computed by the same expression in the dtype of the output,
/// whatever the block it falls into.
namespace backdrop::kernels {

/// Calls f with a zero of the dtype of the output: float{} or double{}.
template <class F>
void with_float(DType dtype, F&& f) {
  if (dtype == DType::f32) {
    f(float{});
  } else {
    f(double{});
  }
}

/// y = f(x)
template <class F>
void map(const Block& b, F f) {
  with_float(b.dtype(), [&]<class T>(T) {
    auto* y = static_cast<T*>(b.y);
    const auto* x = static_cast<const T*>(b.x[0]);
    for (std::size_t k = 0; k < b.count; ++k) y[k] = f(x[k]);
  });
}

/// y = f(x0, x1)
template <class F>
void zip(const Block& b, F f) {
  with_float(b.dtype(), [&]<class T>(T) {
    auto* y = static_cast<T*>(b.y);
    const auto* x0 = static_cast<const T*>(b.x[0]);
    const auto* x1 = static_cast<const T*>(b.x[1]);
    for (std::size_t k = 0; k < b.count; ++k) y[k] = f(x0[k], x1[k]);
  });
}

inline bool bit(const void* mask, std::size_t k) {
  return (static_cast<const std::uint8_t*>(mask)[k / 8] >> (k % 8) & 1) != 0;
}

/// y = f(x) where the mask (input 1) is kept, +0 where it is dropped
template <class F>
void map_kept(const Block& b, F f) {
  with_float(b.dtype(), [&]<class T>(T) {
    auto* y = static_cast<T*>(b.y);
    const auto* x = static_cast<const T*>(b.x[0]);
    for (std::size_t k = 0; k < b.count; ++k) y[k] = bit(b.x[1], k) ? f(x[k]) : T{0};
  });
}

}  // namespace backdrop::kernels
