#include "kernels/strided.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/elementwise.hpp"

namespace backdrop::kernels {

namespace {

constexpr std::size_t kGrain = 32768;  // elements worth handing to a thread
constexpr std::int64_t kTile = 16;     // f32 in a cache line

// The same box with as few axes as possible: none of extent 1, and neighbours joined that follow one another
// on both sides.
Box simplified(const Box& box) {
  Box out;
  out.first_from = box.first_from;
  out.first_to = box.first_to;
  for (std::size_t k = 0; k < box.rank; ++k) {
    const BoxAxis& axis = box.axes[k];
    if (axis.extent == 1) continue;
    if (out.rank > 0) {
      BoxAxis& outer = out.axes[out.rank - 1];
      if (outer.from == axis.from * axis.extent && outer.to == axis.to * axis.extent) {
        outer = {outer.extent * axis.extent, axis.from, axis.to};
        continue;
      }
    }
    out.add_axis(axis);
  }
  return out;
}

struct Offsets {
  std::int64_t from, to;
};

// Where position `at` (row-major) of the axes [0, rank) lies.
Offsets offsets(const Box& box, std::size_t rank, std::size_t at) {
  Offsets out{box.first_from, box.first_to};
  auto rest = static_cast<std::int64_t>(at);
  for (std::size_t k = rank; k-- > 0;) {
    const BoxAxis& axis = box.axes[k];
    out.from += rest % axis.extent * axis.from;
    out.to += rest % axis.extent * axis.to;
    rest /= axis.extent;
  }
  return out;
}

std::size_t count(const Box& box, std::size_t rank) {
  std::size_t n = 1;
  for (std::size_t k = 0; k < rank; ++k) n *= static_cast<std::size_t>(box.axes[k].extent);
  return n;
}

// Row by row along the last axis.
template <class T>
void copy_rows(const Box& box, const T* x, T* y, const Workers& workers) {
  const BoxAxis row = box.axes[box.rank - 1];
  const auto length = static_cast<std::size_t>(row.extent);
  workers.for_each(count(box, box.rank - 1), std::max<std::size_t>(kGrain / length, 1),
                   [&](std::size_t begin, std::size_t end) {
                     for (std::size_t at = begin; at < end; ++at) {
                       const Offsets o = offsets(box, box.rank - 1, at);
                       if (row.from == 1 && row.to == 1) {
                         std::memcpy(y + o.to, x + o.from, length * sizeof(T));
                       } else {
                         for (std::int64_t i = 0; i < row.extent; ++i) {
                           y[o.to + i * row.to] = x[o.from + i * row.from];
                         }
                       }
                     }
                   });
}

// In tiles over two axes, the last one contiguous in the destination and the one before it in the source. A
// tile goes through a buffer, so that every cache line of either side is touched once: at strides of a power
// of two, lines evict one another before their next element is wanted.
template <class T>
void copy_tiles(const Box& box, const T* x, T* y, const Workers& workers) {
  const BoxAxis down = box.axes[box.rank - 2], along = box.axes[box.rank - 1];
  const auto bands = static_cast<std::size_t>((down.extent + kTile - 1) / kTile);
  const auto band_size = static_cast<std::size_t>(std::min(down.extent, kTile) * along.extent);
  workers.for_each(count(box, box.rank - 2) * bands, std::max<std::size_t>(kGrain / band_size, 1),
                   [&](std::size_t begin, std::size_t end) {
                     for (std::size_t at = begin; at < end; ++at) {
                       const Offsets o = offsets(box, box.rank - 2, at / bands);
                       const auto top = static_cast<std::int64_t>(at % bands) * kTile;
                       const std::int64_t height = std::min(kTile, down.extent - top);
                       for (std::int64_t left = 0; left < along.extent; left += kTile) {
                         const std::int64_t width = std::min(kTile, along.extent - left);
                         T tile[kTile * kTile];
                         for (std::int64_t j = 0; j < width; ++j) {
                           const T* source = x + o.from + top + (left + j) * along.from;
                           for (std::int64_t i = 0; i < height; ++i) tile[i * kTile + j] = source[i];
                         }
                         for (std::int64_t i = 0; i < height; ++i) {
                           std::copy_n(tile + i * kTile, width, y + o.to + (top + i) * down.to + left);
                         }
                       }
                     }
                   });
}

template <class T>
void copy_elements(Box box, const T* x, T* y, const Workers& workers) {
  if (box.rank == 0) {
    y[box.first_to] = x[box.first_from];
    return;
  }
  const BoxAxis& last = box.axes[box.rank - 1];
  if (last.to == 1 && last.from != 1) {
    for (std::size_t k = 0; k + 1 < box.rank; ++k) {
      if (box.axes[k].from != 1) continue;
      std::rotate(box.axes.begin() + static_cast<std::ptrdiff_t>(k),
                  box.axes.begin() + static_cast<std::ptrdiff_t>(k) + 1,
                  box.axes.begin() + static_cast<std::ptrdiff_t>(box.rank) - 1);
      return copy_tiles(box, x, y, workers);
    }
  }
  copy_rows(box, x, y, workers);
}

// On one thread: neighbours share bytes.
void copy_bits(const Box& box, const void* x, std::uint8_t* y) {
  const std::size_t n = count(box, box.rank);
  for (std::size_t at = 0; at < n; ++at) {
    const Offsets o = offsets(box, box.rank, at);
    const auto to = static_cast<std::size_t>(o.to);
    const auto place = static_cast<std::uint8_t>(1U << to % 8);
    y[to / 8] = static_cast<std::uint8_t>(bit(x, static_cast<std::size_t>(o.from)) ? y[to / 8] | place
                                                                                   : y[to / 8] & ~place);
  }
}

}  // namespace

void copy_box(const Box& whole, const Array& x, const Array& y, const Workers& workers) {
  if (count(whole, whole.rank) == 0) return;
  const Box box = simplified(whole);
  switch (y.dtype) {
    case DType::f32:
      return copy_elements(box, x.as<const float>(), y.as<float>(), workers);
    case DType::f64:
      return copy_elements(box, x.as<const double>(), y.as<double>(), workers);
    case DType::i64:
      return copy_elements(box, x.as<const std::int64_t>(), y.as<std::int64_t>(), workers);
    case DType::mask:
      return copy_bits(box, x.data, y.as<std::uint8_t>());
  }
}

void copy_from(const Array& x, std::int64_t first, const std::array<std::int64_t, kMaxRank>& strides,
               const Array& y, const Workers& workers) {
  if (y.dtype == DType::mask) clear(y);  // the padding bits, too
  const auto own = strides_of(*y.shape);
  Box box;
  box.first_from = first;
  for (std::size_t k = 0; k < y.shape->rank(); ++k) box.add_axis({(*y.shape)[k], strides[k], own[k]});
  copy_box(box, x, y, workers);
}

std::array<std::int64_t, kMaxRank> strides_of(const Shape& shape) {
  std::array<std::int64_t, kMaxRank> strides{};
  std::int64_t step = 1;
  for (std::size_t k = shape.rank(); k-- > 0;) {
    strides[k] = step;
    step *= shape[k];
  }
  return strides;
}

void clear(const Array& y) { std::memset(y.data, 0, byte_size(y.dtype, y.numel())); }

}  // namespace backdrop::kernels
