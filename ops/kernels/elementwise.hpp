#pragma once

#include <algorithm>
#include <backdrop/core/op.hpp>
#include <cstdint>
#include <cstring>

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

/// The same for f32, f64 and i64.
template <class F>
void with_number(DType dtype, F&& f) {
  if (dtype == DType::i64) {
    f(std::int64_t{});
  } else {
    with_float(dtype, f);
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

/// Writes keep(0), ..., keep(count - 1) as the bits of a mask; the unused bits of the last byte are zero.
template <class F>
void write_bits(void* y, std::size_t count, F keep) {
  auto* bytes = static_cast<std::uint8_t*>(y);
  for (std::size_t k = 0; k < count; k += 8) {
    const std::size_t n = std::min<std::size_t>(8, count - k);
    unsigned byte = 0;
    for (std::size_t i = 0; i < n; ++i) byte |= unsigned{keep(k + i)} << i;
    bytes[k / 8] = static_cast<std::uint8_t>(byte);
  }
}

/// mask = f(masks), where byte(k) gives byte k of the result
template <class F>
void write_mask_bytes(const Block& b, F byte) {
  auto* y = static_cast<std::uint8_t*>(b.y);
  const std::size_t count = b.count;  // a copy: a compiler has to assume that writing bytes of y changes b
  for (std::size_t k = 0; k < (count + 7) / 8; ++k) y[k] = static_cast<std::uint8_t>(byte(k));
  if (count % 8 != 0) y[count / 8] = static_cast<std::uint8_t>(y[count / 8] & ((1U << count % 8) - 1));
}

/// y = x, any dtype
inline void copy(const Block& b) { std::memmove(b.y, b.x[0], byte_size(b.dtype(), b.count)); }

}  // namespace backdrop::kernels
