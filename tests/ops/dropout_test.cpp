#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "ops/evaluate.hpp"

using namespace backdrop;
using Numbers = std::vector<double>;

namespace {

const Key kKey{.seed = 42, .stream = 3};

const std::vector<double> kProbabilities = {0, 0.1, 0.25, 1. / 3, 0.5, 0.9, 0.999, 1};

// Finite and not, of both signs, from denormal to largest; as many kept as dropped below.
template <class T>
Tensor special_values() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> once{T{0},
                      T{-0.0},
                      T(0.3),
                      T(-7),
                      Limits::min(),
                      Limits::max(),
                      -Limits::max(),
                      Limits::denorm_min(),
                      -Limits::denorm_min(),
                      Limits::infinity(),
                      -Limits::infinity(),
                      Limits::quiet_NaN()};
  std::vector<T> twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  return Tensor::from(twice, {static_cast<std::int64_t>(twice.size())});
}
Tensor special_values(DType dtype) {
  return dtype == DType::f32 ? special_values<float>() : special_values<double>();
}

Tensor first_half_kept(std::size_t n) {
  Tensor out = Tensor::zeros({static_cast<std::int64_t>(n)});
  for (std::size_t k = 0; k < n / 2; ++k) out.mutable_data<float>()[k] = 1;
  return out.to(DType::mask);
}

bool is_plus_zero(double x) { return x == 0 && !std::signbit(x); }

}  // namespace

TEST_CASE("the local Jacobian of dropout is diag(mask/(1-p)): 0s and 1/(1-p)s") {
  for (DType dtype : {DType::f32, DType::f64}) {
    for (double p : {0.1, 0.25, 0.5, 0.9}) {
      CAPTURE(p);
      Tape tape;
      const Var a = tape.variable("a", Tensor({1, -2, 3, 4}, dtype));
      const Var b = dropout(a, p, tape.constant(Tensor::mask({1, 0, 1, 0})));
      const double rate = Tensor::scalar(1 / (1 - p), dtype).item();
      for (std::size_t row = 0; row < 4; ++row) {
        Numbers unit(4, 0);
        unit[row] = 1;
        const Var e = tape.constant(vector_of(unit, dtype));
        Numbers expected(4, 0);
        expected[row] = row % 2 == 0 ? rate : 0;
        CHECK(numbers(value(vjp(b, a, e))) == expected);
        CHECK(numbers(value(jvp(b, a, e))) == expected);
      }
    }
  }
}

TEST_CASE("the same mask acts forwards and backwards") {
  Tape tape;
  const Var x = tape.variable("x", Tensor::ones({1000}, DType::f64));
  const Var y = dropout(x, 0.3, kKey);
  const auto found = value({y, grad(sum(y), x), jvp(y, x, full_like(x, 1))});
  CHECK(found[0].same_bits(found[1]));
  CHECK(found[0].same_bits(found[2]));
  std::size_t dropped = 0;
  for (double v : numbers(found[0])) {
    CHECK((v == 0 || v == 1 / (1 - 0.3)));
    dropped += v == 0;
  }
  CHECK(dropped > 240);
  CHECK(dropped < 360);
}

TEST_CASE("a dropped unit is +0, and receives exactly +0, whatever stands there") {
  for (DType dtype : {DType::f32, DType::f64}) {
    const Tensor special = special_values(dtype);
    for (double p : kProbabilities) {
      CAPTURE(p);
      Tape tape;
      const Var x = tape.variable("x", special);
      const Var g = tape.constant(special);
      const Var y = dropout(x, p, tape.constant(first_half_kept(special.numel())));
      for (const Tensor& t : value({y, vjp(y, x, g), jvp(y, x, g)})) {
        for (std::size_t k = special.numel() / 2; k < special.numel(); ++k) CHECK(is_plus_zero(t.at(k)));
      }
    }
  }
}

TEST_CASE("with p = 0 dropout is the identity, bit for bit") {
  for (DType dtype : {DType::f32, DType::f64}) {
    const Tensor special = special_values(dtype);
    Tape tape;
    const Var x = tape.variable("x", special);
    const Var g = tape.constant(special);
    const Var y = dropout(x, 0, kKey);
    for (const Tensor& t : value({y, vjp(y, x, g), jvp(y, x, g)})) CHECK(t.same_bits(special));
  }
}

TEST_CASE("with p = 1 everything is dropped, and every gradient is exactly 0") {
  for (DType dtype : {DType::f32, DType::f64}) {
    const Tensor special = special_values(dtype);
    Tape tape;
    const Var x = tape.variable("x", special);
    const Var g = tape.constant(special);
    const Var y = dropout(x, 1, kKey);
    for (const Tensor& t : value({y, vjp(y, x, g), jvp(y, x, g)})) {
      for (double v : numbers(t)) CHECK(is_plus_zero(v));
    }
  }
}

TEST_CASE("a p outside [0, 1] throws ValueError and leaves the tape as it was") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({{1, 2}, {3, 4}}));
  const Var mask = tape.constant(Tensor::mask({1, 0}));
  const std::size_t size = tape.size();
  for (double p : {kNaN, -0.1, 1.1, kInf, -kInf}) {
    CAPTURE(p);
    CHECK_THROWS_AS(dropout(x, p, mask), ValueError);
    CHECK_THROWS_AS(dropout(x, p, kKey), ValueError);
    CHECK_THROWS_AS(dropout_mask(tape, {3}, p, kKey), ValueError);
    CHECK(tape.size() == size);
  }
}

TEST_CASE("a float tensor is no mask, and the error says what makes one") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({{1, 2}, {3, 4}}));
  const Var zeros_and_ones = tape.constant(Tensor({{1, 0}, {0, 1}}));
  const Var row = tape.constant(Tensor({1, 0}));
  const Var integers = tape.constant(Tensor({1, 2}, DType::i64));
  const Var three = tape.constant(Tensor::mask({1, 0, 1}));
  const std::size_t size = tape.size();
  for (Var wrong : {zeros_and_ones, row}) {
    try {
      dropout(x, 0.5, wrong);
      FAIL("did not throw");
    } catch (const DTypeError& e) {
      const std::string message = e.what();
      CHECK(message.find("dropout") != std::string::npos);
      CHECK(message.find("cast(") != std::string::npos);
    }
  }
  CHECK_THROWS_AS(dropout(integers, 0.5, kKey), DTypeError);
  CHECK_THROWS_AS(dropout(x, 0.5, three), ShapeError);
  CHECK(tape.size() == size);
  CHECK(numbers(value(dropout(x, 0.5, cast(zeros_and_ones, DType::mask)))) == Numbers{2, 0, 0, 8});
}

TEST_CASE("fused equals composed to the last bit: value, vjp, jvp and second order") {
  for (DType dtype : {DType::f32, DType::f64}) {
    const Tensor special = special_values(dtype);
    for (double p : kProbabilities) {
      CAPTURE(p);
      Tape tape;
      const Var x = tape.variable("x", special);
      const Var mask = tape.constant(first_half_kept(special.numel()));
      const Var g = tape.constant(special);
      const Var fused = dropout(x, p, mask);
      const Var composed = scale(mul(x, mask), keep_scale(p));
      const auto all_of = [&](Var y) {
        const Var smooth = sum(square(y) * y);
        const Var first = grad(smooth, x);
        return std::vector<Var>{y, vjp(y, x, g), jvp(y, x, g), first, vjp(first, x, g), hvp(smooth, x, g)};
      };
      const std::vector<Tensor> a = value(all_of(fused)), b = value(all_of(composed));
      for (std::size_t k = 0; k < a.size(); ++k) {
        CAPTURE(k);
        CHECK(a[k].same_bits(b[k]));
      }
    }
  }
}

TEST_CASE("nothing is scaled where no dropout is recorded: training and inference agree in the mean") {
  // E[mask/(1-p)] = 1, so that the recording without dropout needs no factor.
  constexpr std::int64_t n = 200'000;
  for (double p : {0.1, 0.5, 0.8}) {
    CAPTURE(p);
    Tape tape;
    const Var x = tape.variable("x", Tensor::full({n}, 3, DType::f64));
    const double mean = value(sum(dropout(x, p, kKey))).item() / n;
    const double deviation = 3 * std::sqrt(p / (1 - p) / static_cast<double>(n));
    CHECK(std::abs(mean - 3) < 4 * deviation);
    const Rewrite inference = without_dropout(tape);
    CHECK(value(inference(x)).same_bits(value(x)));
  }
}

TEST_CASE("a mask broadcasts: one bit may stand for a row or a feature") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({{1, 2, 3}, {4, 5, 6}}));
  CHECK(numbers(value(dropout(x, 0.5, tape.constant(Tensor::mask({{1}, {0}}))))) ==
        Numbers{2, 4, 6, 0, 0, 0});
  CHECK(numbers(value(dropout(x, 0.5, tape.constant(Tensor::mask({0, 1, 0}))))) ==
        Numbers{0, 4, 0, 0, 10, 0});
}

TEST_CASE("the 0/1 mask is not the derivative: finite differences differ from it by the factor 1-p") {
  for (double p : {0.1, 0.5, 0.75}) {
    CAPTURE(p);
    const Tensor mask = Tensor::mask({1, 0, 1, 1});
    const auto f = [&](const Numbers& x) {
      Tape tape;
      return value(sum(dropout(tape.constant(vector_of(x)), p, tape.constant(mask)))).item();
    };
    Tape tape;
    const Var x = tape.variable("x", vector_of({0.5, -1, 2, 3}));
    const Var kept = tape.constant(mask);
    const Tensor right = value(grad(sum(dropout(x, p, kept)), x));
    const Tensor wrong = value(grad(sum(mul(x, kept)), x));  // the 0/1 mask
    for (std::size_t k = 0; k < 4; ++k) {
      // The function is linear, so that a step of 1 has no error but rounding.
      Numbers up{0.5, -1, 2, 3}, down = up;
      up[k] += 0.5;
      down[k] -= 0.5;
      const double difference = f(up) - f(down);
      CHECK(right.at(k) == doctest::Approx(difference).epsilon(1e-14));
      CHECK(wrong.at(k) == doctest::Approx((1 - p) * difference).epsilon(1e-14));
      if (mask.at(k) == 0) CHECK(is_plus_zero(right.at(k)));
    }
    CHECK_FALSE(wrong.at(0) == doctest::Approx(right.at(0)).epsilon(0.05));
  }
}
