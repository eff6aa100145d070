#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <backdrop/core/error.hpp>
#include <cstdint>
#include <utility>
#include <vector>

namespace bd = backdrop;
using bd::DType;
using bd::Shape;
using bd::Tensor;
using bd::Var;

namespace {

// Distinct numbers; for masks, bits without pattern.
Tensor sample(const Shape& shape, DType dtype) {
  Tensor x = Tensor::uninitialized(shape, DType::f64);
  std::uint32_t k = 0;
  for (double& number : x.mutable_data<double>()) {
    number = dtype == DType::mask ? (k * 2654435761U >> 16 & 1) : k;
    ++k;
  }
  return x.to(dtype);
}

// Element by element, from the definition.
Tensor repeated(const Tensor& x, const Shape& to) {
  Tensor y = Tensor::uninitialized(to, DType::f64);
  const std::size_t lead = to.rank() - x.shape().rank();
  for (std::size_t e = 0; e < to.numel(); ++e) {
    std::size_t rest = e, from = 0, step = 1;
    for (std::size_t k = to.rank(); k-- > lead;) {
      const auto own = static_cast<std::size_t>(x.shape()[k - lead]);
      const auto extent = static_cast<std::size_t>(to[k]);
      if (own != 1) from += rest % extent * step;
      step *= own;
      rest /= extent;
    }
    y.mutable_data<double>()[e] = x.at(from);
  }
  return y.to(x.dtype());
}

}  // namespace

TEST_CASE("every dtype is repeated along every kind of axis, masks at any bit") {
  const std::pair<Shape, Shape> cases[] = {
      {{}, {}},
      {{}, {5}},
      {{}, {70'000}},
      {{3}, {3}},
      {{1}, {3, 4}},
      {{4}, {3, 4}},
      {{3, 1}, {3, 4}},
      {{3, 1}, {3, 13}},
      {{13}, {100, 13}},
      {{16}, {9, 16}},
      {{16, 1}, {16, 24}},
      {{2, 1, 3}, {2, 5, 3}},
      {{3, 1}, {2, 3, 11}},
      {{1, 5, 1, 7}, {3, 5, 2, 7}},
      {{4, 1, 8}, {4, 3, 8}},
      {{1000, 1}, {1000, 77}},
      {{77}, {1000, 77}},
      {{50'000}, {3, 50'000}},
      {{2, 0}, {3, 2, 0}},
      {{1}, {0}},
      {{5, 1}, {5, 0}},
  };
  for (const auto& shapes : cases) {
    const Shape& from = shapes.first;
    const Shape& to = shapes.second;
    for (const DType dtype : {DType::f32, DType::f64, DType::i64, DType::mask}) {
      bd::Tape tape;
      const Tensor x = sample(from, dtype);
      const Var y = bd::broadcast_to(tape.constant(x), to);
      const Tensor expected = repeated(x, to);
      CAPTURE(to_string(from));
      CAPTURE(to_string(to));
      CAPTURE(to_string(dtype));
      CHECK(value(y, {.feeds = {}, .step = {}, .threads = 1}).same_bits(expected));
      CHECK(value(y, {.feeds = {}, .step = {}, .threads = 3}).same_bits(expected));
    }
  }
}

TEST_CASE("sum_to is the transpose of broadcast_to") {
  bd::Tape tape;
  const Var x = tape.constant({{1, 2, 3}, {4, 5, 6}});
  CHECK(value(bd::sum_to(x, {3})).same_bits({5, 7, 9}));
  CHECK(value(bd::sum_to(x, {2, 1})).same_bits({{6}, {15}}));
  CHECK(value(bd::sum_to(x, {})).same_bits(Tensor::scalar(21)));
  CHECK(value(bd::sum_to(x, {2, 3})).same_bits({{1, 2, 3}, {4, 5, 6}}));
  CHECK_THROWS_AS(bd::sum_to(x, {2}), bd::ShapeError);
  CHECK_THROWS_AS(bd::broadcast_to(x, {3, 2}), bd::ShapeError);

  const Var b = tape.constant({10, 20, 30});
  const Var y = bd::sum(bd::mul(bd::broadcast_to(b, {2, 3}), x));
  CHECK(value(grad(y, b)).same_bits({5, 7, 9}));
}
