#pragma once

#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <backdrop/core/error.hpp>
#include <vector>

/// Tests on small whole numbers, where sums and products are exact, so that results are compared bit for bit.
namespace integers {

/// Whole numbers in [-4, 4], different for each `seed`.
inline backdrop::Tensor tensor(const backdrop::Shape& shape, unsigned seed,
                               backdrop::DType dtype = backdrop::DType::f64) {
  std::vector<double> numbers(shape.numel());
  unsigned state = seed * 747796405U + 2891336453U;
  for (double& x : numbers) {
    state = state * 1664525U + 1013904223U;
    x = static_cast<double>(state >> 16 & 0xFF) / 256 * 9;
    x = static_cast<double>(static_cast<int>(x)) - 4;
  }
  return backdrop::Tensor::from(numbers, shape).to(dtype);
}

inline double dot(const backdrop::Tensor& a, const backdrop::Tensor& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.numel(); ++k) sum += a.at(k) * b.at(k);
  return sum;
}

/// Checks that vjp is the transpose of jvp, <g, J t> = <J' g, t>, in each of xs and exactly.
inline void check_transposes(backdrop::Var y, const std::vector<backdrop::Var>& xs) {
  backdrop::Tape& tape = y.tape();
  const backdrop::Var g = tape.constant(tensor(y.shape(), 101, y.dtype()));
  unsigned seed = 7;
  for (const backdrop::Var x : xs) {
    const backdrop::Var t = tape.constant(tensor(x.shape(), ++seed, x.dtype()));
    const backdrop::Var forward = backdrop::jvp(y, x, t), back = backdrop::vjp(y, x, g);
    REQUIRE(back.shape() == x.shape());
    CHECK(dot(value(g), value(forward)) == dot(value(back), value(t)));
  }
}

/// Checks that `record` throws E and leaves the tape as it was.
template <class E, class F>
void check_refused(backdrop::Tape& tape, const char* text, F record) {
  const std::size_t before = tape.size();
  CHECK_THROWS_WITH_AS(record(), text, E);
  CHECK(tape.size() == before);
}

}  // namespace integers
