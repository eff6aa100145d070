#include "kernels/broadcast.hpp"

#include <array>
#include <cmath>
#include <cstring>

#include "kernels/elementwise.hpp"

namespace backdrop::kernels {

namespace {

// Walks the positions of a box in row-major order and keeps the offset of each under given strides.
class Odometer {
 public:
  void add_axis(std::int64_t extent, std::int64_t stride) { axes_[rank_++] = {extent, stride, 0}; }

  std::size_t offset() const { return static_cast<std::size_t>(offset_); }
  std::size_t count() const {
    std::size_t n = 1;
    for (std::size_t k = 0; k < rank_; ++k) n *= static_cast<std::size_t>(axes_[k].extent);
    return n;
  }
  void next() {
    for (std::size_t k = rank_; k-- > 0;) {
      Axis& axis = axes_[k];
      offset_ += axis.stride;
      if (++axis.at < axis.extent) return;
      offset_ -= axis.stride * axis.extent;
      axis.at = 0;
    }
  }

 private:
  struct Axis {
    std::int64_t extent, stride, at;
  };
  std::array<Axis, kMaxRank> axes_;
  std::size_t rank_ = 0;
  std::int64_t offset_ = 0;
};

using Strides = std::array<std::int64_t, kMaxRank>;

Strides strides_of(const Shape& shape) {
  Strides strides{};
  std::int64_t step = 1;
  for (std::size_t k = shape.rank(); k-- > 0;) {
    strides[k] = step;
    step *= shape[k];
  }
  return strides;
}

// Walks `to` and gives offsets into `from`, which repeats along some of its axes.
Odometer repeated(const Shape& from, const Shape& to) {
  const Strides own = strides_of(from);
  const std::size_t lead = to.rank() - from.rank();
  Odometer at;
  for (std::size_t k = 0; k < to.rank(); ++k) {
    at.add_axis(to[k], k < lead || from[k - lead] == 1 ? 0 : own[k - lead]);
  }
  return at;
}

template <class T>
void copy_repeated(const Eval& e) {
  Odometer at = repeated(*e.x[0].shape, *e.y.shape);
  const T* x = e.x[0].as<const T>();
  T* y = e.y.as<T>();
  for (std::size_t k = 0; k < e.y.numel(); ++k, at.next()) y[k] = x[at.offset()];
}

void copy_repeated_bits(const Eval& e) {
  Odometer at = repeated(*e.x[0].shape, *e.y.shape);
  auto* y = e.y.as<std::uint8_t>();
  std::memset(y, 0, byte_size(DType::mask, e.y.numel()));
  for (std::size_t k = 0; k < e.y.numel(); ++k, at.next()) {
    if (bit(e.x[0].data, at.offset())) y[k / 8] = static_cast<std::uint8_t>(y[k / 8] | 1U << (k % 8));
  }
}

// Neumaier's compensated sum: the rounding errors are carried along and added at the end.
class Accumulator {
 public:
  void add(double term) {
    const double sum = sum_ + term;
    error_ += std::abs(sum_) >= std::abs(term) ? (sum_ - sum) + term : (term - sum) + sum_;
    sum_ = sum;
  }
  // An infinite sum has a NaN for its error.
  double total() const { return std::isfinite(sum_) ? sum_ + error_ : sum_; }

 private:
  double sum_ = 0, error_ = 0;
};

using Axes = std::array<bool, kMaxRank>;

void sum_where(const Eval& e, const Axes& reduced) {
  const Shape& from = *e.x[0].shape;
  const Strides strides = strides_of(from);
  Odometer outer, inner;
  for (std::size_t k = 0; k < from.rank(); ++k) (reduced[k] ? inner : outer).add_axis(from[k], strides[k]);
  const std::size_t terms = inner.count();
  with_float(e.y.dtype, [&]<class T>(T) {
    const T* x = e.x[0].as<const T>();
    T* y = e.y.as<T>();
    for (std::size_t k = 0; k < e.y.numel(); ++k, outer.next()) {
      Accumulator sum;
      for (std::size_t n = terms; n > 0; --n, inner.next()) {
        sum.add(static_cast<double>(x[outer.offset() + inner.offset()]));
      }
      y[k] = static_cast<T>(sum.total());
    }
  });
}

}  // namespace

void broadcast(const Eval& e) {
  switch (e.y.dtype) {
    case DType::f32:
      return copy_repeated<float>(e);
    case DType::f64:
      return copy_repeated<double>(e);
    case DType::i64:
      return copy_repeated<std::int64_t>(e);
    case DType::mask:
      return copy_repeated_bits(e);
  }
}

void sum_to(const Eval& e) {
  const Shape& from = *e.x[0].shape;
  const Shape& to = *e.y.shape;
  const std::size_t lead = from.rank() - to.rank();
  Axes reduced{};
  for (std::size_t k = 0; k < lead; ++k) reduced[k] = true;
  for (std::size_t k = 0; k < to.rank(); ++k) reduced[lead + k] = to[k] == 1 && from[lead + k] != 1;
  sum_where(e, reduced);
}

void sum_axes(const Eval& e, std::span<const std::int64_t> axes) {
  Axes reduced{};
  for (std::int64_t axis : axes) reduced[static_cast<std::size_t>(axis)] = true;
  sum_where(e, reduced);
}

}  // namespace backdrop::kernels
