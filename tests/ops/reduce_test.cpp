#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <backdrop/core/error.hpp>
#include <cmath>
#include <limits>

#include "differences.hpp"
#include "kernels/targets.hpp"

namespace bd = backdrop;
using bd::DType;
using bd::Shape;
using bd::Tensor;
using bd::Var;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Numbers without pattern in [-1, 1).
Tensor noise(const Shape& shape, DType dtype = DType::f64) {
  Tensor x = Tensor::uninitialized(shape, DType::f64);
  std::uint64_t state = 1;
  for (double& number : x.mutable_data<double>()) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    number = static_cast<double>(state >> 40) * 0x1p-23 - 1;
  }
  return x.to(dtype);
}

// Every element of x goes, one by one, to the output that its position without `axes` names.
std::vector<long double> sums_by_definition(const Tensor& x, const std::vector<bool>& reduced) {
  std::size_t outputs = 1;
  for (std::size_t k = 0; k < reduced.size(); ++k) {
    if (!reduced[k]) outputs *= static_cast<std::size_t>(x.shape()[k]);
  }
  std::vector<long double> sums(outputs);
  for (std::size_t e = 0; e < x.numel(); ++e) {
    std::size_t rest = e, to = 0, step = 1;
    for (std::size_t k = reduced.size(); k-- > 0;) {
      const auto extent = static_cast<std::size_t>(x.shape()[k]);
      if (!reduced[k]) {
        to += rest % extent * step;
        step *= extent;
      }
      rest /= extent;
    }
    sums[to] += x.at(e);
  }
  return sums;
}

Tensor run(Var v, int threads) { return value(v, {.feeds = {}, .step = {}, .threads = threads}); }

}  // namespace

TEST_CASE("sums by hand, over any axes, negative ones and keepdims") {
  bd::Tape tape;
  const Var x = tape.constant({{1, 2, 3}, {4, 5, 6}});
  CHECK(value(bd::sum(x)).same_bits(Tensor::scalar(21)));
  CHECK(value(bd::sum(x, {0})).same_bits({5, 7, 9}));
  CHECK(value(bd::sum(x, {-1})).same_bits({6, 15}));
  CHECK(value(bd::sum(x, {-1}, true)).same_bits({{6}, {15}}));
  CHECK(value(bd::sum(x, {1, 0}, true)).same_bits({{21}}));
  CHECK(value(bd::mean(x, {0})).same_bits({2.5, 3.5, 4.5}));
  CHECK(value(bd::mean(x)).same_bits(Tensor::scalar(3.5)));
}

TEST_CASE("every set of axes of arrays of every kind gives the definition's sums") {
  const Shape shapes[] = {
      {},           {7},         {1000},       {5, 3},       {3, 1000},      {1000, 3},
      {700, 1300},  {2, 3, 4},   {4, 1, 6},    {30, 20, 40}, {2, 3, 4, 5},   {9, 2, 300, 2},
      {2, 1, 3, 1}, {100, 7, 9}, {50, 4, 600}, {1, 1, 1},    {200000, 2, 1}, {2, 3, 2, 3, 2}};
  for (const Shape& shape : shapes) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      bd::Tape tape;
      const Tensor numbers = noise(shape, dtype);
      const Var x = tape.constant(numbers);
      for (unsigned set = 0; set < 1U << shape.rank(); ++set) {
        std::vector<std::int64_t> axes;
        std::vector<bool> reduced(shape.rank());
        for (std::size_t k = 0; k < shape.rank(); ++k) {
          reduced[k] = (set >> k & 1) != 0;
          if (reduced[k]) axes.push_back(static_cast<std::int64_t>(k));
        }
        if (axes.empty() && shape.rank() > 0) continue;  // no axes stand for all
        const Tensor y = value(bd::sum(x, axes));
        const auto expected = sums_by_definition(numbers, reduced);
        REQUIRE(y.numel() == expected.size());
        const double unit = dtype == DType::f32 ? 0x1p-23 : 0x1p-52;
        double worst = 0;
        for (std::size_t k = 0; k < expected.size(); ++k) {
          const double error = std::abs(y.at(k) - static_cast<double>(expected[k]));
          worst = std::max(worst, error / (std::abs(static_cast<double>(expected[k])) + 1e-6));
        }
        CAPTURE(to_string(shape));
        CAPTURE(set);
        CHECK(worst <= unit);
      }
    }
  }
}

TEST_CASE("ten million terms of 0.1f are summed to f32's last bit") {
  bd::Tape tape;
  const Var x = tape.constant(Tensor::full({10'000'000}, 0.1));
  const double exact = 1e7 * static_cast<double>(0.1f);
  CHECK(std::abs(value(bd::sum(x)).item() - exact) <= 0x1p-24 * exact);
}

TEST_CASE("f64 sums survive cancellation") {
  bd::Tape tape;
  const Var x = tape.constant(Tensor({1e16, 1, 1, 1, 1, 1, 1, 1, -1e16}, DType::f64));
  CHECK(value(bd::sum(x)).item() == 7);
  Tensor many = Tensor::full({3001, 70}, 1, DType::f64);
  for (std::size_t k = 0; k < 70; ++k) {
    many.mutable_data<double>()[k] = 1e16;
    many.mutable_data<double>()[3000 * 70 + k] = -1e16;
  }
  CHECK(value(bd::sum(tape.constant(many), {0})).same_bits(Tensor::full({70}, 2999, DType::f64)));
  CHECK(value(bd::sum(tape.constant(many))).item() == 70 * 2999);
}

TEST_CASE("a short row has the same sum, whatever rows stand beside it") {
  std::vector<float> row{1e20F, 2, -1e20F, 0, 0, 1e-30F};  // each order of summation loses something else
  row.resize(20);
  const auto sums = [&](std::int64_t rows) {
    std::vector<float> all;
    for (std::int64_t r = 0; r < rows; ++r) all.insert(all.end(), row.begin(), row.end());
    bd::Tape tape;
    return value(sum(tape.constant(Tensor::from(all, {rows, 20})), {1}));
  };
  const double alone = sums(1).item();
  for (const std::int64_t rows : {2, 512, 513, 1025}) {
    const Tensor found = sums(rows);
    for (std::size_t r = 0; r < found.numel(); ++r) {
      INFO(rows << " rows, row " << r);
      CHECK(found.at(r) == alone);
    }
  }
}

TEST_CASE("infinities and NaN come through a sum") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    bd::Tape tape;
    const auto total = [&](std::initializer_list<bd::NestedList> numbers) {
      return value(bd::sum(tape.constant(Tensor(numbers, dtype)))).item();
    };
    CHECK(total({1, kInf, 2}) == kInf);
    CHECK(total({1, -kInf, 2}) == -kInf);
    CHECK(std::isnan(total({kInf, -kInf})));
    CHECK(std::isnan(total({1, kNaN, kInf})));
    CHECK(total({1e38, 1e38, 1e38, 1e38}) == (dtype == DType::f32 ? kInf : 4e38));
  }
}

TEST_CASE("a sum of nothing is zero, a mean of nothing is NaN") {
  bd::Tape tape;
  const Var x = tape.constant(Tensor::zeros({3, 0}));
  CHECK(value(bd::sum(x, {1})).same_bits({0, 0, 0}));
  CHECK(value(bd::sum(x)).same_bits(Tensor::scalar(0)));
  CHECK(value(bd::sum(x, {0})).same_bits(Tensor::zeros({0})));
  CHECK(value(bd::mean(x, {1})).same_bits({kNaN, kNaN, kNaN}));
}

TEST_CASE("the mean of equal numbers is that number in f32, and within a rounding of it in f64") {
  for (std::int64_t n = 1; n < 200; ++n) {
    bd::Tape tape;
    CHECK(value(bd::mean(tape.constant(Tensor::full({n}, 0.7)))).item() == 0.7f);
    const double mean = value(bd::mean(tape.constant(Tensor::full({n}, 0.7, DType::f64)))).item();
    CHECK(std::abs(mean - 0.7) <= 0x1p-53);
  }
}

TEST_CASE("reductions have the same bits with any number of threads and on every vector target") {
  const Shape shapes[] = {{3'000'001}, {100'000, 10}, {10, 100'000}, {3000, 700}, {128, 256}, {40, 500, 30}};
  for (const Shape& shape : shapes) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      bd::Tape tape;
      const Var x = tape.constant(noise(shape, dtype));
      std::vector<Var> sums{bd::sum(x)};
      for (std::size_t k = 0; k < shape.rank(); ++k)
        sums.push_back(bd::sum(x, {static_cast<std::int64_t>(k)}));
      for (Var y : sums) {
        const Tensor one = run(y, 1);
        CHECK(one.same_bits(run(y, 2)));
        CHECK(one.same_bits(run(y, 5)));
        for (const std::int64_t target : bd::kernels::vector_targets()) {
          const bd::kernels::ForcedTarget forced(target);
          CHECK(one.same_bits(run(y, 1)));
        }
      }
    }
  }
}

TEST_CASE("derivatives of sums and means") {
  for (const auto& axes : std::vector<std::vector<std::int64_t>>{{}, {0}, {1}, {-1}, {0, 2}}) {
    for (const bool keep : {false, true}) {
      differences::check_shape({2, 3, 4}, [&](Var x) { return bd::sum(x, axes, keep); });
      differences::check_shape({2, 3, 4}, [&](Var x) { return bd::mean(x, axes, keep); });
      differences::check_shape({2, 3, 4},
                               [&](Var x) { return bd::square(bd::mean(bd::square(x), axes, keep)); });
    }
  }
}

TEST_CASE("extremes by hand, over any axes") {
  bd::Tape tape;
  const Var x = tape.constant({{3, -1, 2}, {0, 5, -4}});
  CHECK(value(bd::max(x)).same_bits(Tensor::scalar(5)));
  CHECK(value(bd::min(x)).same_bits(Tensor::scalar(-4)));
  CHECK(value(bd::max(x, {0})).same_bits({3, 5, 2}));
  CHECK(value(bd::min(x, {-1}, true)).same_bits({{-1}, {-4}}));
  CHECK(value(bd::argmax(x)).same_bits(Tensor({0, 1}, DType::i64)));
  CHECK(value(bd::argmax(x, 0)).same_bits(Tensor({0, 1, 0}, DType::i64)));
  CHECK(value(bd::argmin(x, -1, true)).same_bits(Tensor({{1}, {2}}, DType::i64)));
  const Tensor many = noise({500, 37});
  const Var m = tape.constant(many);
  double greatest = -kInf;
  for (std::size_t k = 0; k < many.numel(); ++k) greatest = std::max(greatest, many.at(k));
  CHECK(value(bd::max(m)).item() == greatest);
  CHECK(value(bd::max(bd::max(m, {0}))).item() == greatest);
  CHECK(value(bd::min(bd::scale(bd::max(m, {1}), -1))).item() == -greatest);
}

TEST_CASE("NaN wins every contest, and infinities are ordinary") {
  bd::Tape tape;
  for (std::int64_t n : {1, 3, 9, 100, 1000}) {
    for (std::size_t at = 0; at < static_cast<std::size_t>(n); at += 1 + static_cast<std::size_t>(n) / 7) {
      Tensor numbers = noise({n});
      numbers.mutable_data<double>()[at] = kNaN;
      const Var x = tape.constant(numbers);
      CHECK(std::isnan(value(bd::max(x)).item()));
      CHECK(std::isnan(value(bd::min(x)).item()));
      CHECK(value(bd::argmax(x)).item() == static_cast<double>(at));
      CHECK(value(bd::argmin(x)).item() == static_cast<double>(at));
    }
  }
  const Var x = tape.constant({{-kInf, -kInf}, {kInf, 1}});
  CHECK(value(bd::max(x, {1})).same_bits({-kInf, kInf}));
  CHECK(value(bd::min(x, {1})).same_bits({-kInf, 1}));
}

TEST_CASE("the first of equal elements is found, and all of them share the derivative") {
  bd::Tape tape;
  const Var x = tape.variable("x", Tensor({{2, 7, 7, 7}, {1, 0, 1, -1}}, DType::f64));
  CHECK(value(bd::argmax(x)).same_bits(Tensor({1, 0}, DType::i64)));
  const double third = 1.0 / 3;
  CHECK(value(grad(bd::sum(bd::max(x, {1})), x))
            .same_bits(Tensor({{0, third, third, third}, {.5, 0, .5, 0}}, DType::f64)));
  CHECK(value(grad(bd::min(x), x)).same_bits(Tensor({{0, 0, 0, 0}, {0, 0, 0, 1}}, DType::f64)));
  const Var t = tape.constant(Tensor({{1, 3, 6, 9}, {4, 1, 2, 1}}, DType::f64));
  CHECK(value(jvp(bd::max(x, {1}), x, t)).same_bits(Tensor({6, 3}, DType::f64)));
}

TEST_CASE("the first extreme over any axis, of ties and with NaN, is what a loop over the terms finds") {
  for (const bd::Shape& shape :
       {bd::Shape{9, 150}, bd::Shape{3, 40, 67}, bd::Shape{2, 5, 7, 3}, bd::Shape{400, 300}}) {
    Tensor numbers = noise(shape);
    auto x = numbers.mutable_data<double>();
    for (std::size_t k = 0; k < x.size(); ++k) x[k] = k % 53 == 17 ? kNaN : std::round(4 * x[k]);
    bd::Tape tape;
    const Var v = tape.constant(numbers);
    for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
      std::size_t stride = 1;
      for (std::size_t k = axis + 1; k < shape.rank(); ++k) stride *= static_cast<std::size_t>(shape[k]);
      const auto count = static_cast<std::size_t>(shape[axis]);
      const auto at = static_cast<std::int64_t>(axis);
      const Tensor greatest = value(bd::argmax(v, at)), least = value(bd::argmin(v, at));
      for (std::size_t k = 0; k < greatest.numel(); ++k) {
        const auto term = [&](std::size_t i) {
          return x[k / stride * stride * count + k % stride + i * stride];
        };
        std::size_t most = 0, fewest = 0;
        for (std::size_t i = count; i-- > 0;) {
          if (term(i) >= term(most) || std::isnan(term(i))) most = i;
          if (term(i) <= term(fewest) || std::isnan(term(i))) fewest = i;
        }
        REQUIRE(greatest.data<std::int64_t>()[k] == static_cast<std::int64_t>(most));
        REQUIRE(least.data<std::int64_t>()[k] == static_cast<std::int64_t>(fewest));
      }
    }
  }
}

TEST_CASE("variances survive a large mean") {
  bd::Tape tape;
  const Var x = tape.constant(Tensor({1e8, 1e8 + 1, 1e8 + 2}, DType::f64));
  CHECK(value(bd::var(x, {0}, 1)).item() == 1);
  CHECK(value(bd::var(x)).item() == doctest::Approx(2.0 / 3).epsilon(1e-15));
  // The mean lies between two f32 numbers.
  const Var y = tape.constant({{16777216 - 1, 16777216 - 2, 16777216 - 2}});
  CHECK(value(bd::var(y, {1})).item() == doctest::Approx(2.0 / 9).epsilon(1e-6));
  CHECK(value(bd::var(tape.constant(Tensor::full({100}, 0.1)))).item() == doctest::Approx(0).epsilon(1e-15));
}

// Of 227 times 0.1 the mean is not 0.1, and the two sums of the deviations differ by a rounding.
TEST_CASE("the standard deviation of equal numbers is none, or next to none, and never NaN") {
  for (std::int64_t n = 2; n < 400; ++n) {
    for (const double number : {0.1, 1.0 / 3, 12345.678}) {
      CAPTURE(n);
      CAPTURE(number);
      bd::Tape tape;
      const Var x = tape.constant(Tensor::full({n}, number, DType::f64));
      const double deviation = value(bd::stddev(x)).item();
      CHECK(deviation >= 0);
      CHECK(deviation <= 1e-15 * number);
    }
  }
  bd::Tape tape;
  const Var x = tape.variable("x", Tensor::full({227}, 0.1, DType::f64));
  CHECK(std::isfinite(value(grad(bd::stddev(x), x)).at(0)));
  CHECK(std::isnan(value(bd::stddev(tape.constant({1.0, kNaN}))).item()));
}

TEST_CASE("a norm is a length, with derivative zero where it is zero") {
  bd::Tape tape;
  const Var x = tape.variable("x", Tensor({{3, 4}, {0, 0}}, DType::f64));
  const Var length = bd::norm(x, {1});
  CHECK(value(length).same_bits(Tensor({5, 0}, DType::f64)));
  CHECK(value(bd::norm(tape.constant({3e30, 4e30}))).item() == 5e30f);
  const Var g = grad(bd::sum(length), x);
  differences::check_close(value(g), Tensor({{.6, .8}, {0, 0}}, DType::f64), 1e-15);
  const Tensor again = value(grad(bd::sum(g), x));
  CHECK(again.at(2) == 0);
  CHECK(again.at(3) == 0);
}

TEST_CASE("derivatives of extremes, variances and norms") {
  for (const auto& axes : std::vector<std::vector<std::int64_t>>{{}, {0}, {-1}, {0, 2}}) {
    for (const bool keep : {false, true}) {
      differences::check_shape({2, 3, 4}, [&](Var x) { return bd::square(bd::max(x, axes, keep)); });
      differences::check_shape({2, 3, 4}, [&](Var x) { return bd::square(bd::min(x, axes, keep)); });
      differences::check_shape({2, 3, 4}, [&](Var x) { return bd::norm(x, axes, keep); });
      for (const std::int64_t correction : {0, 1}) {
        differences::check_shape({2, 3, 4}, [&](Var x) { return bd::var(x, axes, correction, keep); });
      }
    }
  }
}

TEST_CASE("reductions that need elements refuse to go without") {
  bd::Tape tape;
  const Var x = tape.constant(Tensor::zeros({2, 0}));
  CHECK_THROWS_AS(bd::max(x, {1}), bd::ShapeError);
  CHECK_THROWS_AS(bd::min(x), bd::ShapeError);
  CHECK_THROWS_AS(bd::argmax(x), bd::ShapeError);
  CHECK_THROWS_AS(bd::var(x, {1}), bd::ShapeError);
  CHECK_THROWS_AS(bd::var(x, {0}, 2), bd::ValueError);
  CHECK(value(bd::max(x, {0})).numel() == 0);
  CHECK(value(bd::norm(x, {1})).same_bits({0, 0}));
  const Var y = tape.variable("y", Tensor({1, 2}));
  CHECK_THROWS_AS(grad(bd::sum(bd::argmax(y)), y), bd::Error);
}

TEST_CASE("reductions say which axis is wrong") {
  bd::Tape tape;
  const Var x = tape.constant(Tensor::zeros({2, 3}));
  CHECK_THROWS_AS(bd::sum(x, {2}), bd::ShapeError);
  CHECK_THROWS_AS(bd::sum(x, {0, -2}), bd::ShapeError);
  CHECK_THROWS_AS(bd::mean(x, {-3}), bd::ShapeError);
  CHECK_THROWS_AS(bd::sum(tape.constant(Tensor::arange(3))), bd::DTypeError);
  CHECK(tape.size() == 2);
}
