#include <cblas.h>

#include <string_view>

#include "kernels/product.hpp"

// All that knows the BLAS.
namespace backdrop::kernels {

namespace {

// OpenBLAS cuts a product by its number of threads, and each cut rounds otherwise: with its own threads, 94 %
// of the bits of a product change. So it always gets one thread. (A second pool beside that of the run would
// cost 3 to 20 times the time of the product, too.)
void keep_single_threaded() {
  static const bool once = (openblas_set_num_threads(1), true);
  static_cast<void>(once);
}

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
void compute(const Product<T>& p) {
  keep_single_threaded();
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

}  // namespace

void multiply_by_openblas(const Product<float>& p) { compute(p); }
void multiply_by_openblas(const Product<double>& p) { compute(p); }

bool openblas_has_avx512() {
  static const bool has = [] {
    const std::string_view core = openblas_get_corename();
    return core == "SkylakeX" || core == "Cooperlake" || core == "SapphireRapids";
  }();
  return has;
}

}  // namespace backdrop::kernels
