#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <backdrop/backdrop.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

/// A plain check of the derivatives of a function of one f64 array, by central differences, for ops whose
/// tests should not depend on the library's own checker.
namespace differences {

using backdrop::DType;
using backdrop::Feed;
using backdrop::Shape;
using backdrop::Tensor;
using backdrop::Var;

inline Tensor numbers(const Shape& shape, std::uint64_t seed) {
  Tensor x = Tensor::uninitialized(shape, DType::f64);
  std::uint64_t state = seed;
  for (double& number : x.mutable_data<double>()) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    number = static_cast<double>(state >> 40) * 0x1p-23 - 1;
  }
  return x;
}

inline void check_close(const Tensor& analytic, const Tensor& numeric, double tolerance) {
  REQUIRE(analytic.numel() == numeric.numel());
  double worst = 0;
  for (std::size_t k = 0; k < analytic.numel(); ++k) {
    const double error = std::abs(analytic.at(k) - numeric.at(k));
    worst = std::max(worst, std::isnan(error) ? 1e9 : error / (1 + std::abs(numeric.at(k))));
  }
  CHECK(worst <= tolerance);
}

/// The gradient of s(x), one scalar, against its central differences.
inline void check_gradient(Var s, Var x, const Tensor& at) {
  const auto program = compile(s.tape(), {.outputs = {s}, .updates = {}});
  const auto gradient = compile(s.tape(), {.outputs = {grad(s, x)}, .updates = {}});
  Tensor numeric = Tensor::zeros(at.shape(), DType::f64);
  constexpr double kStep = 1e-5;
  for (std::size_t k = 0; k < at.numel(); ++k) {
    double values[2];
    for (int side : {0, 1}) {
      Tensor moved = at;
      moved.mutable_data<double>()[k] += side == 0 ? -kStep : kStep;
      values[side] = program.run({{x, moved}})[0].item();
    }
    numeric.mutable_data<double>()[k] = (values[1] - values[0]) / (2 * kStep);
  }
  check_close(gradient.run({{x, at}})[0], numeric, 1e-7);
}

/// Checks vjp and jvp of f at x, and the gradient of its gradient.
template <class F>
void check(const Tensor& at, F f) {
  backdrop::Tape tape;
  const Var x = tape.input("x", at.shape(), DType::f64);
  const Var y = f(x);
  const Var weights = tape.constant(numbers(y.shape(), 7));
  const Var weighted = backdrop::sum(backdrop::mul(y, weights));
  check_gradient(weighted, x, at);

  const Tensor direction = numbers(at.shape(), 8);
  const Var t = tape.constant(direction);
  const Var along = backdrop::sum(backdrop::mul(backdrop::jvp(y, x, t), weights));
  const Var across = backdrop::sum(backdrop::mul(grad(weighted, x), t));
  const auto both = compile(tape, {.outputs = {along, across}, .updates = {}}).run({{x, at}});
  check_close(both[0], both[1], 1e-12);

  check_gradient(across, x, at);
  check_gradient(along, x, at);
}
template <class F>
void check_shape(const Shape& shape, F f) {
  check(numbers(shape, 6), f);
}

}  // namespace differences
