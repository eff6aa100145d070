#pragma once

#include <array>
#include <cstdint>
#include <span>

/// Random bits without hidden state. Every bit is a pure function of (seed, stream, step, position), so it is
/// the same for any thread count, vector width, order of evaluation, process or machine, and can be drawn
/// again later.
///
/// **The stream.** Block q (0 <= q < 2^64) of a Key at a step is
///
///     philox4x32_10(counter = {q mod 2^32, q div 2^32, stream, step}, key = {seed mod 2^32, seed div 2^32})
///
/// Its four 32-bit words, the first one lowest, are 128 bits; blocks 0, 1, 2, ... follow one another as one
/// little-endian bit stream. Word i of the stream is word i mod 4 of block i div 4.
///
/// **Masks.** p is the probability of dropping, D = round(p * 2^32) with halves rounded up. Element e owns
/// the b bits [b e, b e + b) of the stream, read as a number u, where
///
///     b =  1   if D = 2^31
///     b =  8   if D is another multiple of 2^24
///     b = 16   otherwise
///
/// and t is the top b bits of D, D div 2^(32 - b). Element e is dropped if u < t and kept if u > t. If u = t
/// it is kept, except that for b = 16 the tie is refined: with u' the same 16 bits of the stream that begins
/// at block 2^63 (the same counter with the top bit of its second word set), the element is dropped if u' < D
/// mod 2^16. D = 0 keeps and D = 2^32 drops every element; neither draws anything. So the probability is D /
/// 2^32 exactly.
namespace backdrop {

/// Where random bits come from: a seed, and one of the 2^32 independent streams under it. A value. Use a key
/// (with a step) for one purpose only: two draws from the same key read the same bits.
struct Key {
  std::uint64_t seed = 0;
  std::uint32_t stream = 0;

  bool operator==(const Key&) const = default;
};

/// Hands out the keys of one seed in order: streams first_stream, first_stream + 1, ...
class Keys {
 public:
  explicit Keys(std::uint64_t seed, std::uint32_t first_stream = 0) : seed_(seed), stream_(first_stream) {}

  /// The next key. Throws ValueError once stream 2^32 - 1 has been given away.
  Key next();

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;  // one bit wider than a stream, to know when they are used up
};

/// Philox4x32 with 10 rounds: four random words, a bijection of the counter for each key.
/// Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key);

/// Block number `block` of the stream described at the top of this file.
std::array<std::uint32_t, 4> random_block(Key key, std::uint32_t step, std::uint64_t block);

/// The blocks from this one on break ties between 16 random bits and p (see above).
inline constexpr std::uint64_t kTieBlock = std::uint64_t{1} << 63;

/// The probability p of dropping as the integers that masks are drawn with.
struct DropThreshold {
  std::uint64_t value = 0;  ///< D = round(p * 2^32), in [0, 2^32]
  unsigned bits = 0;        ///< b, drawn per element: 1, 8 or 16; 0 if D is 0 or 2^32

  /// Throws ValueError unless 0 <= p <= 1.
  explicit DropThreshold(double p);

  /// t, the top b bits of D: what the b bits of an element are compared with. Only if b > 0.
  std::uint32_t top() const { return static_cast<std::uint32_t>(value >> (32 - bits)); }
};

/// Whether the mask with dropping probability p keeps this element: the definition of the mask layout, one
/// element at a time, which the vector code of `dropout_mask` must equal. Throws ValueError unless 0 <= p
/// <= 1.
bool kept(Key key, std::uint32_t step, double p, std::uint64_t element);

/// 1 / (1 - p), what inverted dropout multiplies kept elements by; 0 at p = 1, where nothing is kept.
/// Throws ValueError unless 0 <= p <= 1.
double keep_scale(double p);

/// Fills `indices` with 0 .. n-1 in an order drawn from (key, step), all n! orders alike: Fisher and Yates'
/// shuffle,
///
///     for i = n-1 .. 1: swap indices[i] with indices[r mod (i+1)]
///
/// where r is the next 64-bit number of the stream (words 2k and 2k + 1, the first one lower) that is at
/// least 2^64 mod (i+1); smaller ones are skipped, so that r mod (i+1) is unbiased.
void fill_permutation(std::span<std::int64_t> indices, Key key, std::uint32_t step);

}  // namespace backdrop
