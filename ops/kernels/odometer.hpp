#pragma once

#include <array>
#include <backdrop/core/shape.hpp>
#include <cstddef>
#include <cstdint>

namespace backdrop::kernels {

/// Walks the positions of a box in row-major order and keeps the offset of each under given strides.
class Odometer {
 public:
  /// Axes are added from the outermost to the innermost.
  void add_axis(std::size_t extent, std::size_t stride) {
    axes_[rank_++] = {extent, stride, 0};
    count_ *= extent;
  }

  std::size_t offset() const { return offset_; }
  std::size_t count() const { return count_; }
  void next() {
    for (std::size_t k = rank_; k-- > 0;) {
      Axis& axis = axes_[k];
      offset_ += axis.stride;
      if (++axis.at < axis.extent) return;
      offset_ -= axis.stride * axis.extent;
      axis.at = 0;
    }
  }
  /// Goes to position number `n` of the box.
  void seek(std::size_t n) {
    offset_ = 0;
    for (std::size_t k = rank_; k-- > 0;) {
      axes_[k].at = n % axes_[k].extent;
      offset_ += axes_[k].at * axes_[k].stride;
      n /= axes_[k].extent;
    }
  }

 private:
  struct Axis {
    std::size_t extent, stride, at;
  };
  std::array<Axis, kMaxRank> axes_;
  std::size_t rank_ = 0;
  std::size_t count_ = 1;
  std::size_t offset_ = 0;
};

/// Adjacent axes that are treated alike, merged into one; axes of extent 1 vanish. The innermost run is
/// number 0.
class Runs {
 public:
  struct Run {
    std::size_t extent, stride;
    bool marked;
  };

  /// Takes the next axis, from the innermost to the outermost. `marked` axes merge with marked ones.
  void add_axis(std::int64_t extent, std::size_t stride, bool marked) {
    if (extent == 1) return;
    const auto size = static_cast<std::size_t>(extent);
    if (count_ > 0 && runs_[count_ - 1].marked == marked) {
      runs_[count_ - 1].extent *= size;
    } else {
      runs_[count_++] = {size, stride, marked};
    }
  }
  std::size_t size() const { return count_; }
  const Run& operator[](std::size_t k) const { return runs_[k]; }

 private:
  std::array<Run, kMaxRank> runs_;
  std::size_t count_ = 0;
};

}  // namespace backdrop::kernels
