#include "kernels/product.hpp"

namespace backdrop::kernels {

namespace {

// Its shape, its dtype and the kernels there are for this processor say which library computes a product, so
// that it has the same bits whenever it is computed. oneDNN takes longer to begin, by .2 us; beside
// OpenBLAS's kernels for AVX2 it is ahead from 16 x 32 x 32 on, beside those for AVX-512 it wins little and
// later, and for vectors from 256 x 256 on. What adds a column by a row to a matrix waits for the memory of
// the matrix, which the BLAS passes once (docs/performance.md).
bool suits_onednn(const Product<float>& p) {
  if (p.k == 1 && p.add) return false;
  const bool vectors = p.m == 1 || p.n == 1 || p.k == 1;
  const int doublings = vectors ? 16 : openblas_has_avx512() ? 20 : 14;
  return p.m * p.n * p.k >= std::size_t{1} << doublings;
}

}  // namespace

void multiply(const Product<float>& p) {
  if (suits_onednn(p) && multiply_by_onednn(p)) return;
  multiply_by_openblas(p);
}
void multiply(const Product<double>& p) { multiply_by_openblas(p); }

}  // namespace backdrop::kernels
