#pragma once

#include <array>
#include <backdrop/core/op.hpp>
#include <cstddef>
#include <cstdint>

/// Copies between boxes of elements that lie apart: what transposing, slicing and joining come down to.
namespace backdrop::kernels {

/// An axis of a box: its extent, and the elements from one position to the next in source and destination.
struct BoxAxis {
  std::int64_t extent, from, to;
};

/// The elements of two arrays that correspond: position i lies at first_from + sum i_k from_k in the source
/// and at first_to + sum i_k to_k in the destination.
struct Box {
  std::array<BoxAxis, kMaxRank> axes;
  std::size_t rank = 0;
  std::int64_t first_from = 0, first_to = 0;

  void add_axis(BoxAxis axis) { axes[rank++] = axis; }
};

/// Copies the elements of `box` from x to y, of the same dtype. Positions of the destination must differ.
void copy_box(const Box& box, const Array& x, const Array& y, const Workers& workers);

/// y[i] = x[first + sum i_k strides_k]
void copy_from(const Array& x, std::int64_t first, const std::array<std::int64_t, kMaxRank>& strides,
               const Array& y, const Workers& workers);

/// The row-major strides of a shape, in elements.
std::array<std::int64_t, kMaxRank> strides_of(const Shape& shape);

/// Sets all elements to zero.
void clear(const Array& y);

}  // namespace backdrop::kernels
