#include "kernels/matmul.hpp"

#include <cblas.h>

#include <algorithm>
#include <cstring>

#include "kernels/elementwise.hpp"

// All that knows the BLAS.
namespace backdrop::kernels {

namespace {

// OpenBLAS cuts a product by its number of threads, and each cut rounds otherwise: with its own threads, 94 %
// of the bits of a product change. So it always gets one thread, and panels that are cut by the problem's
// shape; the panels run on the threads of the run. (A second pool beside that one would cost 3 to 20 times
// the time of the product, too.)
void keep_blas_single_threaded() {
  static const bool once = (openblas_set_num_threads(1), true);
  static_cast<void>(once);
}

// One matrix product y = alpha op(a) op(b), or that added to y; op(a) of m x k and op(b) of k x n. Or a panel
// of one.
template <class T>
struct Product {
  const T* a = nullptr;
  const T* b = nullptr;
  T* y = nullptr;
  std::size_t m = 0, n = 0, k = 0;
  bool ta = false, tb = false;
  std::size_t lda = 0, ldb = 0, ldy = 0;  // elements from one stored row to the next
  T alpha = 1;
  bool add = false;  // to y; otherwise what stands there does not count, even NaN

  Product rows(std::size_t begin, std::size_t end) const {
    Product p = *this;
    p.a += begin * (ta ? 1 : lda);
    p.y += begin * ldy;
    p.m = end - begin;
    return p;
  }
  Product columns(std::size_t begin, std::size_t end) const {
    Product p = *this;
    p.b += begin * (tb ? ldb : 1);
    p.y += begin;
    p.n = end - begin;
    return p;
  }
};

blasint size(std::size_t n) { return static_cast<blasint>(n); }
CBLAS_TRANSPOSE op(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

void gemm(const Product<float>& p) {
  cblas_sgemm(CblasRowMajor, op(p.ta), op(p.tb), size(p.m), size(p.n), size(p.k), p.alpha, p.a, size(p.lda),
              p.b, size(p.ldb), p.add ? 1 : 0, p.y, size(p.ldy));
}
void gemm(const Product<double>& p) {
  cblas_dgemm(CblasRowMajor, op(p.ta), op(p.tb), size(p.m), size(p.n), size(p.k), p.alpha, p.a, size(p.lda),
              p.b, size(p.ldb), p.add ? 1 : 0, p.y, size(p.ldy));
}

void ger(const Product<float>& p) {
  cblas_sger(CblasRowMajor, size(p.m), size(p.n), p.alpha, p.a, size(p.ta ? 1 : p.lda), p.b,
             size(p.tb ? p.ldb : 1), p.y, size(p.ldy));
}
void ger(const Product<double>& p) {
  cblas_dger(CblasRowMajor, size(p.m), size(p.n), p.alpha, p.a, size(p.ta ? 1 : p.lda), p.b,
             size(p.tb ? p.ldb : 1), p.y, size(p.ldy));
}

// y += alpha op(matrix) x, where the matrix is stored as rows x columns.
template <class T>
struct Vectors {
  const T* x;
  std::size_t stride_x;
  T* y;
  std::size_t stride_y, count_y;
  T alpha;
};
void gemv(bool transposed, std::size_t rows, std::size_t columns, const float* matrix, std::size_t ld,
          const Vectors<float>& v) {
  cblas_sgemv(CblasRowMajor, op(transposed), size(rows), size(columns), v.alpha, matrix, size(ld), v.x,
              size(v.stride_x), 1, v.y, size(v.stride_y));
}
void gemv(bool transposed, std::size_t rows, std::size_t columns, const double* matrix, std::size_t ld,
          const Vectors<double>& v) {
  cblas_dgemv(CblasRowMajor, op(transposed), size(rows), size(columns), v.alpha, matrix, size(ld), v.x,
              size(v.stride_x), 1, v.y, size(v.stride_y));
}

// The output is cleared here, for the BLAS may scale what it finds there (NaN * 0 = NaN).
template <class T>
void clear(const Vectors<T>& v) {
  for (std::size_t k = 0; k < v.count_y; ++k) v.y[k * v.stride_y] = 0;
}

template <class T>
void run(const Product<T>& p) {
  if (p.m == 1) {  // y' = op(b)' a'
    const Vectors<T> v{p.a, p.ta ? p.lda : 1, p.y, 1, p.n, p.alpha};
    if (!p.add) clear(v);
    gemv(!p.tb, p.tb ? p.n : p.k, p.tb ? p.k : p.n, p.b, p.ldb, v);
  } else if (p.n == 1) {
    const Vectors<T> v{p.b, p.tb ? 1 : p.ldb, p.y, p.ldy, p.m, p.alpha};
    if (!p.add) clear(v);
    gemv(p.ta, p.ta ? p.k : p.m, p.ta ? p.m : p.k, p.a, p.lda, v);
  } else if (p.k == 1 && p.add) {
    ger(p);
  } else {
    gemm(p);
  }
}

// How a product is cut: the longer side of the output, since each panel packs the other operand anew, which
// costs a tenth of the speed with panels that are 64 wide, a twentieth with 128 and a fortieth with 256. So
// a panel is at least 256 wide, and takes about 8 M multiply-adds, .2 ms; whole vectors, so that only the
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
void multiply(const Eval& e, const Array& a, const Array& b, Product<T> whole) {
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
  keep_blas_single_threaded();
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
                         run(by.by_rows ? p.rows(first, std::min(first + by.width, m))
                                        : p.columns(first, std::min(first + by.width, n)));
                       }
                     });
}

}  // namespace

void matmul(const Eval& e, bool transpose_a, bool transpose_b) {
  with_float(e.y.dtype,
             [&]<class T>(T) { multiply<T>(e, e.x[0], e.x[1], {.ta = transpose_a, .tb = transpose_b}); });
}

void add_product(const Eval& e, bool transpose_a, bool transpose_b) {
  if (e.y.data != e.x[0].data) std::memcpy(e.y.data, e.x[0].data, byte_size(e.y.dtype, e.y.numel()));
  with_float(e.y.dtype, [&]<class T>(T) {
    const T alpha = *e.x[1].as<const T>();
    multiply<T>(e, e.x[2], e.x[3], {.ta = transpose_a, .tb = transpose_b, .alpha = alpha, .add = true});
  });
}

}  // namespace backdrop::kernels
