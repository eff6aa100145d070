#include <doctest/doctest.h>

#include <algorithm>
#include <backdrop/backdrop.hpp>
#include <backdrop/core/error.hpp>
#include <cmath>
#include <limits>

#include "integers.hpp"

namespace bd = backdrop;
using bd::DType;
using bd::Key;
using bd::Shape;
using bd::Tensor;
using bd::Var;

namespace {

constexpr Key kKey{42, 3};

struct Moments {
  double mean = 0, deviation = 0, least = 0, most = 0;
};
Moments moments(const Tensor& x) {
  Moments m;
  m.least = m.most = x.at(0);
  for (std::size_t k = 0; k < x.numel(); ++k) {
    m.mean += x.at(k) / static_cast<double>(x.numel());
    m.least = std::min(m.least, x.at(k));
    m.most = std::max(m.most, x.at(k));
  }
  for (std::size_t k = 0; k < x.numel(); ++k) {
    m.deviation += (x.at(k) - m.mean) * (x.at(k) - m.mean) / static_cast<double>(x.numel());
  }
  m.deviation = std::sqrt(m.deviation);
  return m;
}

}  // namespace

TEST_CASE("uniform f32 numbers are the top 24 bits of the words of the stream, scaled") {
  bd::Tape tape;
  const Tensor y = value(bd::uniform(tape, {8}, -1, 3, kKey), {.feeds = {}, .step = 5});
  for (std::size_t e = 0; e < 8; ++e) {
    const std::uint32_t word = bd::random_block(kKey, 5, e / 4)[e % 4];
    CHECK(y.at(e) == -1 + 4 * (static_cast<double>(word >> 8) / 16777216));
  }
}

TEST_CASE("uniform and normal have their moments") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Moments u = moments(bd::uniform({200, 500}, 2, 5, kKey, dtype));
    CHECK(u.mean == doctest::Approx(3.5).epsilon(0.005));
    CHECK(u.deviation == doctest::Approx(3 / std::sqrt(12)).epsilon(0.01));
    CHECK(u.least >= 2);
    CHECK(u.least < 2.001);
    CHECK(u.most < 5);
    CHECK(u.most > 4.999);
    const Moments z = moments(bd::normal({200, 500}, -1, 2, kKey, dtype));
    CHECK(z.mean == doctest::Approx(-1).epsilon(0.03));
    CHECK(z.deviation == doctest::Approx(2).epsilon(0.01));
    CHECK(z.most > 5);
  }
}

TEST_CASE("uniform never reaches its upper end, though rounding would") {
  // One step of f32 above 1: half of all numbers would round up to it.
  const double high = std::nextafter(1.0f, 2.0f);
  CHECK(moments(bd::uniform({1000}, 1, high, kKey)).most == 1);
  CHECK(bd::uniform({3}, 0.5, 0.5, kKey).same_bits({0.5, 0.5, 0.5}));
}

TEST_CASE("the numbers are those of the key and the step, on any number of threads") {
  bd::Tape tape;
  const Var u = bd::uniform(tape, {50'001}, 0, 1, kKey), z = bd::normal(tape, {50'001}, 0, 1, kKey);
  for (const Var y : {u, z}) {
    const Tensor one = value(y, {.feeds = {}, .step = 1, .threads = 1});
    CHECK(one.same_bits(value(y, {.feeds = {}, .step = 1, .threads = 2})));
    CHECK(!one.same_bits(value(y, {.feeds = {}, .step = 2, .threads = 1})));
  }
  CHECK(value(u, {.feeds = {}, .step = 0}).same_bits(bd::uniform({50'001}, 0, 1, kKey)));
  CHECK(value(z, {.feeds = {}, .step = 0}).same_bits(bd::normal({50'001}, 0, 1, kKey)));
  CHECK(!bd::uniform({9}, 0, 1, kKey).same_bits(bd::uniform({9}, 0, 1, Key{42, 4})));
}

TEST_CASE("a run that updates and draws asks for its step") {
  bd::Tape tape;
  const bd::Variable w("w", Tensor::zeros({3}));
  const Var noise = bd::normal(tape, {3}, 0, 1, kKey);
  const bd::Program program = bd::compile(tape, {.outputs = {}, .updates = {{w, noise}}});
  CHECK_THROWS_AS(program.run(), bd::GraphError);
}

TEST_CASE("first weights have the spread of their papers") {
  const Moments g = moments(bd::glorot_uniform({300, 200}, kKey));
  const double limit = std::sqrt(6.0 / 500);
  CHECK(std::abs(g.mean) < 0.002);
  CHECK(g.most < limit);
  CHECK(g.most > 0.999 * limit);
  CHECK(g.least > -1.0001 * limit);
  CHECK(g.least < -0.999 * limit);
  const Moments h = moments(bd::he_normal({300, 200}, kKey, DType::f64));
  CHECK(std::abs(h.mean) < 0.002);
  CHECK(h.deviation == doctest::Approx(std::sqrt(2.0 / 300)).epsilon(0.01));
  CHECK(bd::he_normal({0, 3}, kKey).numel() == 0);
  CHECK(moments(bd::glorot_normal({300, 200}, kKey)).deviation ==
        doctest::Approx(std::sqrt(2.0 / 500)).epsilon(0.01));
  const Moments u = moments(bd::he_uniform({300, 200}, kKey, DType::f64));
  CHECK(u.most < std::sqrt(6.0 / 300));
  CHECK(u.most > 0.999 * std::sqrt(6.0 / 300));
  CHECK(u.deviation == doctest::Approx(std::sqrt(2.0 / 300)).epsilon(0.01));
}

TEST_CASE("the fans of a convolution count its kernel, and its outputs stand first") {
  const Shape kernels{50, 4, 3, 5};
  const bd::Fans fans = bd::conv_fans(kernels);
  CHECK(fans.in == 4 * 15);
  CHECK(fans.out == 50 * 15);
  CHECK(bd::dense_fans({3, 4}).out == 4);
  CHECK(bd::conv_fans({3, 4}).out == 3);
  CHECK(moments(bd::he_normal(kernels, fans, kKey)).deviation ==
        doctest::Approx(std::sqrt(2.0 / 60)).epsilon(0.03));
  CHECK(moments(bd::glorot_uniform(kernels, fans, kKey)).most ==
        doctest::Approx(std::sqrt(6.0 / 810)).epsilon(0.01));
  CHECK_THROWS_AS(bd::dense_fans(kernels), bd::ShapeError);
  CHECK_THROWS_AS(bd::conv_fans({3}), bd::ShapeError);
}

TEST_CASE("impossible ranges and dtypes are refused, and the tape stays as it was") {
  bd::Tape tape;
  const double infinite = std::numeric_limits<double>::infinity(),
               nan = std::numeric_limits<double>::quiet_NaN(), large = 1e308;
  const char* no_range =
      "uniform: low = 2.000000 and high = 1.000000 bound no range of f32; give finite numbers, the lower one "
      "first";
  integers::check_refused<bd::ValueError>(tape, no_range, [&] { bd::uniform(tape, {2}, 2, 1, kKey); });
  CHECK_THROWS_WITH_AS(bd::uniform({2}, 2, 1, kKey), no_range, bd::ValueError);
  for (const double bad : {infinite, nan, -large}) {
    CHECK_THROWS_AS(bd::uniform(tape, {2}, bad, large, kKey), bd::ValueError);
    CHECK_THROWS_AS(bd::uniform({2}, bad, large, kKey), bd::ValueError);
    CHECK_THROWS_AS(bd::normal(tape, {2}, 0, bad, kKey), bd::ValueError);
    CHECK_THROWS_AS(bd::normal({2}, 0, bad, kKey), bd::ValueError);
  }
  for (const DType dtype : {DType::f32, DType::f64}) {  // no range of f32, whose span would be infinite
    const double beyond = dtype == DType::f32 ? 3e38 : large;
    CHECK_THROWS_AS(bd::uniform(tape, {2}, -beyond, beyond, kKey, dtype), bd::ValueError);
    CHECK_THROWS_AS(bd::uniform({2}, -beyond, beyond, kKey, dtype), bd::ValueError);
  }
  CHECK_THROWS_AS(bd::normal(tape, {2}, 1e39, 1, kKey), bd::ValueError);
  CHECK_THROWS_AS(bd::normal({2}, 0, 1e39, kKey), bd::ValueError);
  CHECK(bd::normal({2}, 1e39, 1, kKey, DType::f64).at(0) == 1e39);
  CHECK_THROWS_AS(bd::normal({2}, nan, 1, kKey), bd::ValueError);
  CHECK_THROWS_AS(bd::normal({2}, 0, 1, kKey, DType::i64), bd::DTypeError);
  integers::check_refused<bd::DTypeError>(tape, "uniform: makes f32 or f64, not i64; cast() the result",
                                          [&] { bd::uniform(tape, {2}, 0, 1, kKey, DType::i64); });
  CHECK_THROWS_AS(bd::normal(tape, {2}, 0, 1, kKey, DType::mask), bd::DTypeError);
  CHECK_THROWS_WITH_AS(bd::he_normal({2, 3, 4}, kKey),
                       "he_normal: takes [fan_in, fan_out], not [2, 3, 4]; give fans beside any other shape",
                       bd::ShapeError);
  CHECK_THROWS_AS(bd::glorot_uniform({2}, kKey), bd::ShapeError);
  CHECK(tape.size() == 0);
}
