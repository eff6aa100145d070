#include <doctest/doctest.h>

#include <backdrop/core/large_vector.hpp>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/keep_drawn.hpp"
#include "kernels/targets.hpp"

using namespace backdrop;

namespace {

const Key kKey{.seed = 0x0123456789ABCDEF, .stream = 9};
constexpr std::uint32_t kStep = 3;

template <class T>
std::vector<T> operand(std::size_t n) {
  std::vector<T> x(n);
  for (std::size_t k = 0; k < n; ++k) x[k] = static_cast<T>(std::sin(static_cast<double>(k) + 1));
  constexpr T kSpecial[] = {std::numeric_limits<T>::quiet_NaN(), -std::numeric_limits<T>::infinity(), T(-0.0),
                            std::numeric_limits<T>::denorm_min()};
  for (std::size_t k = 0; k < n; k += 7) x[k] = kSpecial[k % 4];
  return x;
}

/// Element by element, from the definition of the mask.
template <class T>
std::vector<T> defined(const std::vector<T>& x, double p, std::uint64_t first) {
  const auto factor = static_cast<T>(keep_scale(p));
  std::vector<T> y(x.size());
  for (std::size_t k = 0; k < x.size(); ++k) y[k] = kept(kKey, kStep, p, first + k) ? x[k] * factor : T(0);
  return y;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class T>
void check(double p, std::uint64_t first, std::size_t n) {
  CAPTURE(p);
  CAPTURE(first);
  CAPTURE(n);
  const std::vector<T> x = operand<T>(n), expected = defined(x, p, first);
  for (const bool streams : {false, true}) {
    CAPTURE(streams);
    constexpr std::size_t kBefore = 16, kAfter = 16;  // left alone
    LargeVector<T> y(kBefore + n + kAfter, T(-99));   // aligned, as what is streamed must be
    kernels::KeepDrawn<T> work{.key = kKey,
                               .step = kStep,
                               .drop = DropThreshold(p),
                               .factor = static_cast<T>(keep_scale(p)),
                               .x = x.data(),
                               .y = y.data() + kBefore,
                               .first = first,
                               .count = n,
                               .streams = streams};
    kernels::keep_drawn(work);
    CHECK(same_bits(std::vector<T>(y.begin() + kBefore, y.end() - kAfter), expected));
    CHECK(std::vector<T>(y.begin(), y.begin() + kBefore) == std::vector<T>(kBefore, T(-99)));
    CHECK(std::vector<T>(y.end() - kAfter, y.end()) == std::vector<T>(kAfter, T(-99)));

    std::vector<T> over = x;
    work.x = work.y = over.data();
    kernels::keep_drawn(work);
    CHECK(same_bits(over, expected));
  }
}

}  // namespace

TEST_CASE(
    "what is dropped while its mask is drawn is what the definition says, bit for bit, on every target") {
  for (const std::int64_t target : kernels::vector_targets()) {
    const std::string name = kernels::target_name(target);
    CAPTURE(name);
    const kernels::ForcedTarget forced(target);
    for (const double p : {0., 1e-6, .1, .25, .5, .9, 1.}) {
      for (const std::uint64_t first : {0u, 1u, 8u, 250u, 4096u}) {
        for (const std::size_t n : {0u, 1u, 63u, 64u, 257u, 4097u}) {
          check<float>(p, first, n);
          check<double>(p, first, n);
        }
      }
      check<float>(p, 4093, 20'000);
    }
  }
}

TEST_CASE("the bits go on where the low half of the block's number ends") {
  for (const double p : {.1, .25, .5}) {
    const std::uint64_t per_block = 128 / DropThreshold(p).bits;
    check<float>(p, (std::uint64_t{1} << 32) * per_block - 5000, 10'000);
  }
}
