#pragma once

#include <backdrop/core/random.hpp>
#include <cstddef>
#include <cstdint>

/// The kernels that draw random tensors, from the stream described in backdrop/core/random.hpp. Each fills a
/// range of elements, from number `first` on; an element depends on its number alone, not on how the whole is
/// cut into ranges.
namespace backdrop::kernels {

inline constexpr std::size_t kBlockBytes = 16;

/// Writes the mask bits (1 = kept, lowest bit first) of elements first .. first + n - 1, equal to `kept` bit
/// for bit. `first` is a multiple of 8. Writes (n + 7) / 8 bytes, the unused bits of the last one as zero.
void draw_mask(Key key, std::uint32_t step, DropThreshold drop, std::uint64_t first, std::size_t n,
               std::uint8_t* bits);

/// Uniform in [0, 1). f32: the top 24 bits of word e of the stream, times 2^-24. f64: the top 53 bits of the
/// 64-bit number made of words 2e and 2e + 1 (the first one lower), times 2^-53.
void uniform(Key key, std::uint32_t step, std::uint64_t first, std::size_t n, float* out);
void uniform(Key key, std::uint32_t step, std::uint64_t first, std::size_t n, double* out);

/// Standard normal, by Box and Muller: elements 2k and 2k + 1 are r cos(2 pi v) and r sin(2 pi v), r =
/// sqrt(-2 ln u). f32: u = 1 - w 2^-32 and v = w' 2^-32 with w, w' = words 2k, 2k + 1, computed in f64 and
/// rounded last, which hides nearly all difference between instruction sets; |x| < 6.7. f64: u = 1 - w and v
/// = w' with w, w' = elements 2k, 2k + 1 of `uniform`; last bits are those of log, sin and cos in math.hpp;
/// |x| < 8.6.
void normal(Key key, std::uint32_t step, std::uint64_t first, std::size_t n, float* out);
void normal(Key key, std::uint32_t step, std::uint64_t first, std::size_t n, double* out);

}  // namespace backdrop::kernels
