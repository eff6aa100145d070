#include "kernels/matmul.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/elementwise.hpp"
#include "kernels/product.hpp"

namespace backdrop::kernels {

namespace {

// How a product is cut: the longer side of the output, since each panel packs the other operand anew, which
// costs a tenth of the speed with panels that are 64 wide, a twentieth with 128 and a fortieth with 256. So
// a panel is at least 256 wide, and takes about 8 M multiply-adds, .1 ms; whole vectors, so that only the
// last panel has a ragged edge.
struct Cut {
  bool by_rows;
  std::size_t width, panels;
  std::size_t work;  // multiply-adds in a panel
};
constexpr std::size_t kLeastWidth = 256;
constexpr std::size_t kWork = std::size_t{1} << 23;

Cut cut(std::size_t m, std::size_t n, std::size_t k) {
  const bool by_rows = m >= n;
  const std::size_t extent = std::max(m, n), other = std::min(m, n);
  const std::size_t wanted =
      std::max<std::size_t>(std::min(extent / kLeastWidth, extent * other * k / kWork), 1);
  const std::size_t width = ((extent + wanted - 1) / wanted + 15) / 16 * 16;
  return {by_rows, width, (extent + width - 1) / width, width * other * k};
}

// All products of `a` and `b`, alike but for the place.
template <class T>
void multiply_all(const Eval& e, const Array& a, const Array& b, Product<T> whole) {
  const std::size_t rank = e.y.shape->rank();
  const auto extent = [rank](const Array& array, std::size_t from_last) {
    return static_cast<std::size_t>((*array.shape)[rank - from_last]);
  };
  const std::size_t m = extent(e.y, 2), n = extent(e.y, 1), k = extent(a, whole.ta ? 2 : 1);
  if (e.y.numel() == 0) return;
  if (k == 0) {
    if (!whole.add) std::memset(e.y.data, 0, byte_size(e.y.dtype, e.y.numel()));
    return;
  }
  whole.a = a.as<const T>(), whole.b = b.as<const T>(), whole.y = e.y.as<T>();
  whole.m = m, whole.n = n, whole.k = k;
  whole.lda = whole.ta ? m : k, whole.ldb = whole.tb ? k : n, whole.ldy = n;
  const Cut by = cut(m, n, k);
  const std::size_t matrices = e.y.numel() / (m * n);
  e.workers.for_each(matrices * by.panels, std::max<std::size_t>(kWork / by.work, 1),
                     [&](std::size_t begin, std::size_t end) {
                       for (std::size_t piece = begin; piece < end; ++piece) {
                         Product<T> p = whole;
                         const std::size_t at = piece / by.panels, first = piece % by.panels * by.width;
                         p.a += at * m * k;
                         p.b += at * k * n;
                         p.y += at * m * n;
                         multiply(by.by_rows ? p.rows(first, std::min(first + by.width, m))
                                             : p.columns(first, std::min(first + by.width, n)));
                       }
                     });
}

}  // namespace

void matmul(const Eval& e, bool transpose_a, bool transpose_b) {
  with_float(e.y.dtype,
             [&]<class T>(T) { multiply_all<T>(e, e.x[0], e.x[1], {.ta = transpose_a, .tb = transpose_b}); });
}

void add_product(const Eval& e, bool transpose_a, bool transpose_b) {
  if (e.y.data != e.x[0].data) std::memcpy(e.y.data, e.x[0].data, byte_size(e.y.dtype, e.y.numel()));
  with_float(e.y.dtype, [&]<class T>(T) {
    const T alpha = *e.x[1].as<const T>();
    multiply_all<T>(e, e.x[2], e.x[3], {.ta = transpose_a, .tb = transpose_b, .alpha = alpha, .add = true});
  });
}

}  // namespace backdrop::kernels
