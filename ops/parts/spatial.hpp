#pragma once

#include <backdrop/core/op.hpp>
#include <span>
#include <vector>

/// What ops over windows share. Lists hold a number for each spatial axis, which are the last ones; paddings
/// hold those before and then those after all axes.
namespace backdrop::spatial {

using Ints = std::span<const std::int64_t>;

/// Positions are computed without overflow below this.
inline constexpr std::int64_t kMost = std::int64_t{1} << 30;

/// Throws ShapeError naming `op` and `what` unless the list has `size` numbers in [least, kMost].
void require_list(const char* op, const char* what, Ints list, std::size_t size, std::int64_t least);

/// A user's list: one number stands for all axes, and for paddings one number per axis for both sides. Throws
/// ShapeError naming `op` and `what`.
std::vector<std::int64_t> per_axis(const char* op, const char* what, const std::vector<std::int64_t>& given,
                                   std::size_t axes);
std::vector<std::int64_t> per_side(const char* op, const std::vector<std::int64_t>& given, std::size_t axes);

/// How far a window reaches.
inline std::int64_t span_of(std::int64_t kernel, std::int64_t dilation) {
  return dilation * (kernel - 1) + 1;
}

/// How many windows fit into an axis of `padded` positions. Throws ShapeError naming `op` when none does.
std::int64_t count_windows(const char* op, std::int64_t padded, std::int64_t span, std::int64_t stride);

/// `leading` and then `last`.
std::vector<std::int64_t> joined(Ints leading, Ints last);
/// The product of all numbers.
std::int64_t product(Ints list);

}  // namespace backdrop::spatial
