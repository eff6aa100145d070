#include <dlfcn.h>
#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "kernels/onednn.hpp"
#include "kernels/product.hpp"

using namespace backdrop;
using kernels::Product;

namespace {

template <class T>
std::vector<T> small_integers(std::size_t count, unsigned seed) {
  std::vector<T> numbers(count);
  for (std::size_t k = 0; k < count; ++k) {
    numbers[k] = static_cast<T>(static_cast<int>((k * 2654435761U + seed) >> 7 & 15) - 8);
  }
  return numbers;
}

// A product in the middle of larger matrices, and what the definition says of it.
template <class T>
struct Example {
  Example(std::size_t m, std::size_t k, std::size_t n, bool ta, bool tb, T alpha, bool add)
      : lda((ta ? m : k) + 3), ldb((tb ? k : n) + 5), ldy(n + 7) {
    a = small_integers<T>((ta ? k : m) * lda, 1);
    b = small_integers<T>((tb ? n : k) * ldb, 2);
    y.assign(m * ldy, add ? T{2} : std::numeric_limits<T>::quiet_NaN());
    p = {.a = a.data(),
         .b = b.data(),
         .y = y.data(),
         .m = m,
         .n = n,
         .k = k,
         .ta = ta,
         .tb = tb,
         .lda = lda,
         .ldb = ldb,
         .ldy = ldy,
         .alpha = alpha,
         .add = add};
  }

  bool is_right() const {
    for (std::size_t i = 0; i < p.m; ++i) {
      for (std::size_t j = 0; j < p.n; ++j) {
        T sum = 0;
        for (std::size_t l = 0; l < p.k; ++l) {
          sum += a[p.ta ? l * lda + i : i * lda + l] * b[p.tb ? j * ldb + l : l * ldb + j];
        }
        if (y[i * ldy + j] != p.alpha * sum + (p.add ? 2 : 0)) return false;
      }
      for (std::size_t j = p.n; j < ldy; ++j) {  // between the rows
        if (p.add ? y[i * ldy + j] != 2 : y[i * ldy + j] == y[i * ldy + j]) return false;
      }
    }
    return true;
  }

  std::size_t lda, ldb, ldy;
  std::vector<T> a, b, y;
  Product<T> p;
};

template <class T, class Multiply>
void check_products(Multiply multiply) {
  const std::size_t sizes[][3] = {{1, 1, 1},    {1, 5, 3},    {3, 5, 1},    {4, 1, 4},      {17, 33, 65},
                                  {1, 300, 9},  {9, 300, 1},  {300, 1, 70}, {130, 300, 57}, {3, 700, 20},
                                  {64, 64, 64}, {5, 2000, 6}, {1, 1, 300}};
  for (const auto& size : sizes) {
    const std::size_t m = size[0], k = size[1], n = size[2];
    for (const unsigned flags : {0U, 1U, 2U, 3U, 4U, 5U, 6U, 7U}) {
      for (const T alpha : {T{1}, T{-.5}}) {
        Example<T> e(m, k, n, (flags & 1) != 0, (flags & 2) != 0, alpha, (flags & 4) != 0);
        multiply(e.p);
        CHECK_MESSAGE(e.is_right(),
                      m << " x " << k << " x " << n << ", flags " << flags << ", alpha " << alpha);
      }
    }
  }
}

// What OpenMP has for this thread; null where the program has no OpenMP.
template <class F>
F openmp(const char* name) {
  return reinterpret_cast<F>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace

TEST_CASE("OpenBLAS gives the definition's product, and does not mind NaN where it writes") {
  const auto multiply = [](const auto& p) { kernels::multiply_by_openblas(p); };
  check_products<float>(multiply);
  check_products<double>(multiply);
}

TEST_CASE("so does oneDNN, where it is") {
  if (!kernels::has_onednn()) {
    MESSAGE("no oneDNN here, or no AVX-512");
    Example<float> e(20, 20, 20, false, false, 1, true);
    CHECK(!kernels::multiply_by_onednn(e.p));
    CHECK(e.y == std::vector<float>(e.y.size(), 2));
    return;
  }
  check_products<float>([](const Product<float>& p) { CHECK(kernels::multiply_by_onednn(p)); });
}

TEST_CASE("the bits of a product do not depend on the threads that OpenMP has, and these stay as they were") {
  const auto threads = openmp<int (*)()>("omp_get_max_threads");
  const auto set_threads = openmp<void (*)(int)>("omp_set_num_threads");
  if (!kernels::has_onednn() || threads == nullptr || set_threads == nullptr) return;
  const int before = threads();
  Example<float> one(128, 784, 256, false, true, 1, false);
  for (float& x : one.a) x = 1 / (x + 8.5f);
  for (const int count : {1, 2, 4}) {
    set_threads(count);
    std::vector<float> y(one.y.size());
    Product<float> p = one.p;
    p.y = count == 1 ? one.y.data() : y.data();
    CHECK(kernels::multiply_by_onednn(p));
    CHECK(threads() == count);
    std::size_t different = 0;
    for (std::size_t i = 0; i < p.m; ++i) {
      for (std::size_t j = 0; j < p.n; ++j) different += p.y[i * p.ldy + j] != one.y[i * p.ldy + j];
    }
    INFO(count << " threads");
    CHECK(different == 0);
  }
  set_threads(before);
}
