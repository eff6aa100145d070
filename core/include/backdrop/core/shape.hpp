#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace backdrop {

/// As in NumPy; kernels walk axes with counters of this size and allocate nothing.
inline constexpr std::size_t kMaxRank = 32;

/// The extents of a dense row-major array; rank 0 (one element) and extents of 0 are legal.
/// Throws ShapeError, naming `op`, on a negative extent, above kMaxRank axes, or when the elements would not
/// be addressable.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> extents) : Shape(std::vector<std::int64_t>(extents)) {}
  explicit Shape(std::vector<std::int64_t> extents, const char* op = "shape");
  explicit Shape(std::span<const std::int64_t> extents, const char* op = "shape")
      : Shape(std::vector<std::int64_t>(extents.begin(), extents.end()), op) {}

  std::size_t rank() const { return extents_.size(); }
  /// Number of elements; 1 at rank 0.
  std::size_t numel() const { return numel_; }
  std::int64_t operator[](std::size_t axis) const { return extents_[axis]; }
  std::span<const std::int64_t> extents() const { return extents_; }
  auto begin() const { return extents_.begin(); }
  auto end() const { return extents_.end(); }

  bool operator==(const Shape& other) const { return extents_ == other.extents_; }

 private:
  std::vector<std::int64_t> extents_;
  std::size_t numel_ = 1;
};

/// "[2, 3]"
std::string to_string(const Shape& shape);

/// The shape both operands broadcast to under NumPy's rule; throws ShapeError naming `op` otherwise.
Shape broadcast(const char* op, const Shape& a, const Shape& b);

/// True when `from` broadcasts to exactly `to`.
bool broadcasts_to(const Shape& from, const Shape& to);

/// `axis` in [-rank, rank) brought into [0, rank); throws ShapeError naming `op` otherwise.
std::size_t normalize_axis(const char* op, std::int64_t axis, std::size_t rank);

/// Sorted, unique, non-negative axes; an empty list means all of them.
/// Throws ShapeError naming `op` when one is out of range or named twice.
std::vector<std::int64_t> normalize_axes(const char* op, std::span<const std::int64_t> axes,
                                         std::size_t rank);

/// Row-major strides, in elements.
std::vector<std::int64_t> row_major_strides(const Shape& shape);

}  // namespace backdrop
