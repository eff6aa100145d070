#pragma once

#include <cstddef>

namespace backdrop::kernels {

/// One matrix product y = alpha op(a) op(b), or that added to y; op(a) of m x k and op(b) of k x n. Or a
/// panel of one. No extent is 0.
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

/// Computes it, on this thread alone: who shares a large product among threads cuts it into panels, as its
/// shape says.
void multiply(const Product<float>& p);
void multiply(const Product<double>& p);

// What it is made of.

/// By OpenBLAS, on this thread alone.
void multiply_by_openblas(const Product<float>& p);
void multiply_by_openblas(const Product<double>& p);

/// Whether it chose kernels for AVX-512, as it does for processors that it knows to have it.
bool openblas_has_avx512();

/// By oneDNN, on this thread alone. False if it has nothing to offer here, or no memory; then y is as it was.
bool multiply_by_onednn(const Product<float>& p);

}  // namespace backdrop::kernels
