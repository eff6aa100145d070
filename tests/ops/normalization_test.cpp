#include <doctest/doctest.h>

#include <cmath>

#include "ops/evaluate.hpp"

using namespace backdrop;

namespace {

void check_near(const std::vector<double>& got, const std::vector<double>& expected, double epsilon = 1e-14) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t k = 0; k < got.size(); ++k) CHECK(std::abs(got[k] - expected[k]) <= epsilon);
}

const Tensor kSteps({{1, 2, 3}, {4, 6, 8}}, DType::f64);

}  // namespace

TEST_CASE("layer_norm standardizes the last axes, then weighs and shifts") {
  const double r = std::sqrt(1 / (2.0 / 3)), s = std::sqrt(1 / (8.0 / 3));
  check_near(results([](Var x) { return layer_norm(x, {3}, {.eps = 0}); }, kSteps),
             {-r, 0, r, -2 * s, 0, 2 * s});
  const Tensor weight({1, 2, 3}, DType::f64), bias({0, 1, 0}, DType::f64);
  check_near(results(
                 [](Var x, Var w, Var b) {
                   return layer_norm(x, {3}, {w, b, 0});
                 },
                 kSteps, weight, bias),
             {-r, 1, 3 * r, -2 * s, 1, 6 * s});
}

TEST_CASE("a variance of 0 gives 0, and finite derivatives of both orders") {
  const Tensor same({{3, 3}, {3, 3}}, DType::f64);
  Tape tape;
  const Var x = tape.variable("x", same);
  const Var weight = tape.constant(Tensor({{1, 2}, {3, 5}}, DType::f64));
  for (const Var y : {layer_norm(x, {2}), batch_norm(x), group_norm(x, 1), layer_norm(x, {2, 2})}) {
    CHECK(numbers(value(y)) == std::vector<double>(4, 0));
    const Var g = grad(sum(mul(y, weight)), x);
    CHECK(std::abs(value(g).at(0)) > 100);  // the slope is 1 / sqrt(eps)
    for (const Var v : {g, grad(sum(square(g)), x)}) {
      for (double d : numbers(value(v))) CHECK(std::isfinite(d));
    }
  }
  const Var nothing = tape.variable("zero", Tensor::zeros({1, 2}, DType::f64));
  const Var g = grad(sum(mul(rms_norm(nothing, {2}), nothing + 1)), nothing);
  for (double d : numbers(value(grad(sum(square(g)), nothing)))) CHECK(std::isfinite(d));
}

TEST_CASE("layer_norm of large numbers keeps their differences") {
  const Tensor far({{1e8, 1e8 + 1, 1e8 + 2}}, DType::f64);
  const double r = std::sqrt(1.5);
  check_near(results([](Var x) { return layer_norm(x, {3}, {.eps = 0}); }, far), {-r, 0, r}, 1e-8);
}

TEST_CASE("a number that lies far from all others costs layer_norm of f32 no digits, wherever it stands") {
  constexpr std::int64_t kColumns = 1000;
  for (const std::uint32_t at : {0U, 1U, 2U, 500U, 999U}) {
    Tape tape;
    Tensor numbers = normal({kColumns}, 0, 1, Key{7, at});
    numbers.mutable_data<float>()[at] = 4000;
    const Var x = tape.variable("x", numbers), v = tape.variable("v", normal({kColumns}, 0, 1, Key{8, at}));
    const auto computed = [](Var u, Var w) {
      return std::vector<Var>{layer_norm(u, {kColumns}), layer_norm_product(u, w, {kColumns})};
    };
    const std::vector<Var> narrow = computed(x, v), wide = computed(cast(x, DType::f64), cast(v, DType::f64));
    for (std::size_t k = 0; k < 2; ++k) {
      const Var error = div(sub(cast(narrow[k], DType::f64), wide[k]), max(abs(wide[k])));
      CHECK(value(max(abs(error))).item() < 0x1p-23);
    }
  }
}

TEST_CASE("numbers that are nearly equal keep their digits in layer_norm beside some that lie far away") {
  for (const std::uint32_t at : {0U, 1U, 5000U, 9998U}) {
    Tape tape;
    Tensor numbers = normal({10000}, 0.37, 1e-3, Key{7, at});
    for (const std::uint32_t far : {at, 9999U}) numbers.mutable_data<float>()[far] = 1e6;
    const Var x = tape.variable("x", numbers);
    const Var wide = layer_norm(cast(x, DType::f64), {10000});
    const Var error = div(sub(cast(layer_norm(x, {10000}), DType::f64), wide), wide);
    CHECK(value(max(abs(error))).item() < 2 * 0x1p-23);
  }
}

TEST_CASE("batch_norm takes the statistics of the batch, or those given, and tells the running ones") {
  const Tensor x({{1, 10}, {3, 30}}, DType::f64);
  check_near(results([](Var v) { return batch_norm(v, {.eps = 0}); }, x), {-1, -1, 1, 1});
  const Tensor mean({1, 2}, DType::f64), variance({4, 16}, DType::f64);
  check_near(results([](Var v, Var m, Var s) { return batch_norm(v, m, s, {.eps = 0}); }, x, mean, variance),
             {0, 2, 1, 7});
  const auto next = [](auto part) {
    return [part](Var v, Var m, Var s) { return running_statistics(v, {m, s}, 0.25).*part; };
  };
  check_near(results(next(&Statistics::mean), x, mean, variance), {0.75 + 0.5, 1.5 + 5});
  check_near(results(next(&Statistics::variance), x, mean, variance), {3 + 0.5, 12 + 50});
}

TEST_CASE("rms_norm leaves the mean; group_norm and instance_norm stay within a sample") {
  const double r = std::sqrt(1 / 12.5);
  check_near(results([](Var x) { return rms_norm(x, {2}, {.eps = 0}); }, Tensor({3, 4}, DType::f64)),
             {3 * r, 4 * r});
  const Tensor x({{{1, 3}, {5, 9}}, {{0, 2}, {0, 8}}}, DType::f64);
  check_near(results([](Var v) { return instance_norm(v, {.eps = 0}); }, x), {-1, 1, -1, 1, -1, 1, -1, 1});
  const std::vector<double> grouped = results([](Var v) { return group_norm(v, 1, {.eps = 0}); }, x);
  const double s = 1 / std::sqrt(8.75);
  check_near({grouped.begin(), grouped.begin() + 4}, {-3.5 * s, -1.5 * s, 0.5 * s, 4.5 * s});
}

TEST_CASE("normalize and cosine_similarity divide by eps where a vector is shorter") {
  const Tensor a({{3, 4}, {0, 0}}, DType::f64);
  check_near(results([](Var x) { return normalize(x); }, a), {0.6, 0.8, 0, 0});
  const auto [reverse, forward] = slopes([](Var x) { return normalize(x, 1, 0.5); }, a);
  check_near({reverse.begin() + 2, reverse.end()}, {2, 2});
  check_near(forward, reverse);
  // PyTorch 1.13 clamps each length by itself.
  const Tensor tiny({{1e-9, 0}}, DType::f64), huge({{1e9, 0}}, DType::f64);
  check_near(results([](Var x, Var y) { return cosine_similarity(x, y); }, tiny, huge), {0.1});
  check_near(results([](Var x, Var y) { return pairwise_distance(x, y, 0); }, a, Tensor({0, 0}, DType::f64)),
             {5, 0});
}

TEST_CASE("normalizations say which shapes do not fit") {
  Tape tape;
  const Var x = tape.constant(Tensor::zeros({2, 6}));
  const Var three = tape.constant(Tensor::zeros({3}));
  const std::size_t before = tape.size();
  CHECK_THROWS_AS(layer_norm(x, {5}), ShapeError);
  CHECK_THROWS_AS(layer_norm(x, {}), ShapeError);
  CHECK_THROWS_AS(layer_norm(x, {6}, {.weight = three}), ShapeError);
  CHECK_THROWS_AS(batch_norm(x, {.bias = three}), ShapeError);
  CHECK_THROWS_AS(batch_norm(three), ShapeError);
  CHECK_THROWS_WITH_AS(batch_norm(x, three, three),
                       "batch_norm_given: 'mean' is [3], but x [2, 6] has 6 channels", ShapeError);
  CHECK_THROWS_WITH_AS(group_norm(x, 4), "group_norm: 4 groups do not divide the channels of [2, 6]",
                       ShapeError);
  CHECK_THROWS_AS(layer_norm(x, {6}, {.eps = -1}), ValueError);
  CHECK_THROWS_AS(running_statistics(tape.constant(Tensor::zeros({1, 3})), {three, three}), ValueError);
  CHECK(tape.size() == before + 1);
}
