#include <doctest/doctest.h>

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/core/large_vector.hpp>
#include <backdrop/core/tensor.hpp>
#include <backdrop/core/variable.hpp>
#include <backdrop/format.hpp>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace backdrop;

TEST_CASE("tensors come from nested lists, of any rank") {
  const Tensor t({{1, 2, 3}, {4, 5, 6}});
  CHECK(t.shape() == Shape{2, 3});
  CHECK(t.dtype() == DType::f32);
  CHECK(t.at(5) == 6);
  CHECK(Tensor({{{1}}}).shape() == Shape{1, 1, 1});
  CHECK(Tensor::scalar(3).shape().rank() == 0);
  CHECK(Tensor::scalar(3).item() == 3);
  CHECK(Tensor::zeros({2, 0, 3}).numel() == 0);
  CHECK(Tensor().item() == 0);
}

TEST_CASE("a ragged list throws") {
  CHECK_THROWS_AS(Tensor({{1, 2}, {3}}), ShapeError);
  CHECK_THROWS_AS(Tensor({{1, 2}, 3}), ShapeError);
  CHECK_THROWS_AS(Tensor({1, {2, 3}}), ShapeError);
}

TEST_CASE("data of another length than the shape throws") {
  CHECK_THROWS_AS(Tensor::from(std::vector<float>{1, 2, 3}, {2, 2}), ShapeError);
  CHECK(Tensor::from(std::vector<std::int64_t>{1, 2}, {2}).dtype() == DType::i64);
}

TEST_CASE("a mask takes one bit per element, the first one lowest") {
  const Tensor m = Tensor::mask({1, 0, 1, 1, 0, 0, 0, 0, 1});
  CHECK(m.dtype() == DType::mask);
  const auto* bytes = static_cast<const unsigned char*>(m.bytes());
  CHECK(bytes[0] == 0b00001101);
  CHECK(bytes[1] == 1);
  CHECK(byte_size(DType::mask, 9) == 2);
}

TEST_CASE("copies share elements until one is written") {
  Tensor a({1, 2, 3});
  const Tensor b = a;
  CHECK(a.bytes() == b.bytes());
  a.mutable_data<float>()[0] = 9;
  CHECK(a.at(0) == 9);
  CHECK(b.at(0) == 1);
}

TEST_CASE("elements are read as what they are") {
  const Tensor a({1, 2, 3});
  CHECK(a.data<float>()[2] == 3);
  CHECK_THROWS_AS((void)a.data<double>(), DTypeError);
  CHECK_THROWS_AS((void)a.item(), ShapeError);
  CHECK_THROWS_AS((void)a.at(3), ShapeError);
  CHECK_THROWS_AS((void)a.reshape({2, 2}), ShapeError);
}

TEST_CASE("conversion between dtypes") {
  const Tensor a({0.0, -1.5, 2.0}, DType::f64);
  CHECK(a.to(DType::f32).at(1) == -1.5);
  CHECK(a.to(DType::mask).same_bits(Tensor::mask({0, 1, 1})));
  CHECK(Tensor::mask({0, 1}).to(DType::f64).same_bits(Tensor({0, 1}, DType::f64)));
  CHECK(Tensor::arange(4).at(3) == 3);
}

TEST_CASE("conversion to i64 saturates, and conversion from it rounds once") {
  constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max(), kLeast = -kGreatest - 1;
  const Tensor a({std::nan(""), HUGE_VAL, -HUGE_VAL, 1e300, -1.5}, DType::f64);
  const std::int64_t expected[] = {0, kGreatest, kLeast, kGreatest, -1};
  CHECK(std::ranges::equal(a.to(DType::i64).data<std::int64_t>(), expected));
  CHECK(Tensor::full({1}, HUGE_VAL, DType::i64).data<std::int64_t>()[0] == kGreatest);
  // Between two f32, a little above the middle, which f64 does not see.
  const std::int64_t above = (std::int64_t{1} << 60) + (std::int64_t{1} << 36) + 1;
  const Tensor rounded = Tensor::from(std::vector<std::int64_t>{above}, {1}).to(DType::f32);
  CHECK(rounded.data<float>()[0] == 0x1.000002p60F);
}

TEST_CASE("same bits: zeros differ by sign, any two NaNs are equal") {
  const double nan = std::nan("");
  CHECK_FALSE(Tensor({0.0}).same_bits(Tensor({-0.0})));
  CHECK(Tensor({nan, 1.0}).same_bits(Tensor({-nan, 1.0})));
  CHECK_FALSE(Tensor({1.0}).same_bits(Tensor({1.0}, DType::f64)));
}

TEST_CASE("printing: shortest numbers that read back, nested by axis") {
  CHECK(fmt::format("{}", Tensor({2, 0, 2, 0})) == "[2, 0, 2, 0]");
  CHECK(fmt::format("{}", Tensor({{0.1, -0.0}, {1e30, 3}})) == "[[0.1, -0], [1e+30, 3]]");
  CHECK(fmt::format("{}", Tensor::scalar(0.1, DType::f64)) == "0.1");
  CHECK(fmt::format("{}", Tensor::zeros({2, 0})) == "[[], []]");
  CHECK(fmt::format("{}", Tensor::zeros({1'000'000'000'000, 0})) == "[[], [], [], ..., [], [], []]");
  CHECK(fmt::format("{}", Tensor::mask({1, 0})) == "[1, 0]");
  CHECK(fmt::format("{}", Tensor::arange(2000)) == "[0, 1, 2, ..., 1997, 1998, 1999]");
  CHECK(fmt::format("{}", Tensor::from(std::vector<std::int64_t>{9007199254740993, 1000000}, {2})) ==
        "[9007199254740993, 1000000]");
  CHECK(fmt::format("{:>8}|", Shape{2, 3}) == "  [2, 3]|");
}

TEST_CASE("shapes reject negative extents, too many elements and too many axes") {
  CHECK_THROWS_AS(Shape({-1}), ShapeError);
  CHECK_THROWS_AS(Shape({std::numeric_limits<std::int64_t>::max(), 2}), ShapeError);
  CHECK_THROWS_AS(Shape({std::int64_t{1} << 61}), ShapeError);
  CHECK_THROWS_AS(Shape(std::vector<std::int64_t>(33, 1)), ShapeError);
  CHECK_THROWS_AS(broadcast("add", {2}, {3}), ShapeError);
  CHECK(broadcast("add", {2, 1}, {3}) == Shape{2, 3});
  CHECK(broadcast("add", {}, {0}) == Shape{0});
}

TEST_CASE("a Variable keeps its type") {
  Variable w("w", Tensor({1, 2}));
  const Variable alias = w;
  w.set(Tensor({3, 4}));
  CHECK(alias.value().at(0) == 3);
  CHECK_THROWS_AS(w.set(Tensor({1})), ShapeError);
  CHECK_THROWS_AS(w.set(Tensor({1, 2}, DType::f64)), DTypeError);
  CHECK(w.value().at(1) == 4);
}

TEST_CASE("large tensors begin at large pages, and the memory of one that is gone serves the next") {
  if (!memory_serves_again()) return;
  const Shape shape{9'700'000};  // of no other test
  const void* first = nullptr;
  {
    const Tensor x = Tensor::ones(shape);
    first = x.bytes();
    CHECK(std::bit_cast<std::uintptr_t>(first) % (std::uintptr_t{2} << 20) == 0);
  }
  CHECK(Tensor::ones(shape).bytes() == first);
}
