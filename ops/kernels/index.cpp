#include "kernels/index.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <cstring>
#include <string>
#include <type_traits>

#include "kernels/elementwise.hpp"

namespace backdrop::kernels {

namespace {

constexpr std::size_t kGrain = 16384;  // elements worth handing to a thread
constexpr std::size_t kPanel = 64;     // columns of a sum that one piece takes

std::size_t extent(const Shape& shape, std::size_t begin, std::size_t end) {
  std::size_t n = 1;
  for (std::size_t k = begin; k < end; ++k) n *= static_cast<std::size_t>(shape[k]);
  return n;
}

// An array with `rows` positions along the indexed axis, and one with `picks`, which the indices pick.
struct View {
  std::size_t outer, rows, picks, inner;
};
View view(const Shape& whole, std::size_t picks, std::size_t axis) {
  return {extent(whole, 0, axis), static_cast<std::size_t>(whole[axis]), picks,
          extent(whole, axis + 1, whole.rank())};
}
std::size_t along(const Array& array, std::size_t axis) {
  return static_cast<std::size_t>((*array.shape)[axis]);
}

void require_inside(const Eval& e, const Array& indices, std::size_t rows) {
  const auto* index = indices.as<const std::int64_t>();
  const auto limit = static_cast<std::int64_t>(rows);
  for (std::size_t k = 0; k < indices.numel(); ++k) {
    if (index[k] >= 0 && index[k] < limit) continue;
    throw ValueError(std::string(e.call.name()) + ": index " + std::to_string(index[k]) + " (element " +
                     std::to_string(e.before(indices) + k) + " of the indices) lies outside [0, " +
                     std::to_string(rows) + ")");
  }
}

// Which row element (o, j, i) of the picked side belongs to.
struct SameForAll {
  const std::int64_t* index;
  std::size_t operator()(const View&, std::size_t, std::size_t j, std::size_t) const {
    return static_cast<std::size_t>(index[j]);
  }
};
struct ForEach {
  const std::int64_t* index;
  std::size_t operator()(const View& v, std::size_t o, std::size_t j, std::size_t i) const {
    return static_cast<std::size_t>(index[(o * v.picks + j) * v.inner + i]);
  }
};

template <class Row>
void pick(const Eval& e, const View& v, Row row) {
  with_number(e.y.dtype, [&]<class T>(T) {
    const T* x = e.x[0].as<const T>();
    T* y = e.y.as<T>();
    const std::size_t grain = std::max<std::size_t>(kGrain / std::max<std::size_t>(v.inner, 1), 1);
    e.workers.for_each(v.outer * v.picks, grain, [&](std::size_t begin, std::size_t end) {
      for (std::size_t k = begin; k < end; ++k) {
        const std::size_t o = k / v.picks, j = k % v.picks;
        if constexpr (std::is_same_v<Row, SameForAll>) {
          if (v.inner == 0) continue;
          std::memcpy(y + k * v.inner, x + (o * v.rows + row(v, o, j, 0)) * v.inner, v.inner * sizeof(T));
        } else {
          for (std::size_t i = 0; i < v.inner; ++i) {
            y[k * v.inner + i] = x[(o * v.rows + row(v, o, j, i)) * v.inner + i];
          }
        }
      }
    });
  });
}

// A piece is a panel of columns of one outer position. Its sums belong to it alone and are added in the order
// of j, so they do not depend on how pieces are spread over threads.
template <class Row>
void accumulate(const Eval& e, const View& v, Row row) {
  const std::size_t panels = (v.inner + kPanel - 1) / kPanel;
  const std::size_t work = std::max<std::size_t>((v.picks + v.rows) * std::min(v.inner, kPanel), 1);
  with_number(e.y.dtype, [&]<class T>(T) {
    const T* x = e.x[0].as<const T>();
    T* y = e.y.as<T>();
    e.workers.for_each(v.outer * panels, std::max<std::size_t>(kGrain / work, 1),
                       [&](std::size_t begin, std::size_t end) {
                         for (std::size_t piece = begin; piece < end; ++piece) {
                           const std::size_t o = piece / panels, first = piece % panels * kPanel;
                           const std::size_t last = std::min(first + kPanel, v.inner);
                           T* sums = y + o * v.rows * v.inner;
                           for (std::size_t r = 0; r < v.rows; ++r) {
                             std::fill(sums + r * v.inner + first, sums + r * v.inner + last, T{0});
                           }
                           for (std::size_t j = 0; j < v.picks; ++j) {
                             const T* terms = x + (o * v.picks + j) * v.inner;
                             for (std::size_t i = first; i < last; ++i) {
                               sums[row(v, o, j, i) * v.inner + i] += terms[i];
                             }
                           }
                         }
                       });
  });
}

}  // namespace

void index_select(const Eval& e, std::size_t axis) {
  const View v = view(*e.x[0].shape, e.x[1].numel(), axis);
  require_inside(e, e.x[1], v.rows);
  pick(e, v, SameForAll{e.x[1].as<const std::int64_t>()});
}

void index_add(const Eval& e, std::size_t axis) {
  const View v = view(*e.y.shape, e.x[1].numel(), axis);
  require_inside(e, e.x[1], v.rows);
  accumulate(e, v, SameForAll{e.x[1].as<const std::int64_t>()});
}

void gather(const Eval& e, std::size_t axis) {
  const View v = view(*e.x[0].shape, along(e.x[1], axis), axis);
  require_inside(e, e.x[1], v.rows);
  pick(e, v, ForEach{e.x[1].as<const std::int64_t>()});
}

void scatter_add(const Eval& e, std::size_t axis) {
  const View v = view(*e.y.shape, along(e.x[1], axis), axis);
  require_inside(e, e.x[1], v.rows);
  accumulate(e, v, ForEach{e.x[1].as<const std::int64_t>()});
}

void one_hot(const Eval& e) {
  const auto classes = static_cast<std::size_t>((*e.y.shape)[e.y.shape->rank() - 1]);
  require_inside(e, e.x[0], classes);
  std::memset(e.y.data, 0, byte_size(e.y.dtype, e.y.numel()));
  const auto* index = e.x[0].as<const std::int64_t>();
  with_float(e.y.dtype, [&]<class T>(T) {
    T* y = e.y.as<T>();
    for (std::size_t j = 0; j < e.x[0].numel(); ++j) y[j * classes + static_cast<std::size_t>(index[j])] = 1;
  });
}

}  // namespace backdrop::kernels
