#include <doctest/doctest.h>
#include <backdrop/backdrop.hpp>
#include <cmath>

#include "ops/evaluate.hpp"

using namespace backdrop;
using Numbers = std::vector<double>;

TEST_CASE("comparisons give masks, for f32, f64 and i64") {
  for (DType dtype : {DType::f32, DType::f64, DType::i64}) {
    const Tensor a({1, 2, 3}, dtype);
    const Tensor b({3, 2, 1}, dtype);
    CHECK(results([](Var x, Var y) { return greater(x, y); }, a, b) == Numbers{0, 0, 1});
    CHECK(results([](Var x, Var y) { return greater_equal(x, y); }, a, b) == Numbers{0, 1, 1});
    CHECK(results([](Var x, Var y) { return less(x, y); }, a, b) == Numbers{1, 0, 0});
    CHECK(results([](Var x, Var y) { return less_equal(x, y); }, a, b) == Numbers{1, 1, 0});
    CHECK(results([](Var x, Var y) { return equal(x, y); }, a, b) == Numbers{0, 1, 0});
    CHECK(results([](Var x, Var y) { return not_equal(x, y); }, a, b) == Numbers{1, 0, 1});
    CHECK(results([](Var x) { return greater(x, 2); }, a) == Numbers{0, 0, 1});
    CHECK(results([](Var x) { return less(2, x); }, a) == Numbers{0, 0, 1});
  }
}

TEST_CASE("i64 is compared exactly where f64 could not tell numbers apart") {
  const std::vector<std::int64_t> x{(std::int64_t{1} << 53) + 1, std::int64_t{1} << 53};
  const Tensor a = Tensor::from(x, {2});
  CHECK(results([](Var v) { return greater(v, 0x1p53); }, a) == Numbers{1, 0});
}

TEST_CASE("a comparison with NaN is false, but not_equal") {
  const Tensor a({kNaN, 1, kNaN}, DType::f64);
  const Tensor b({1, kNaN, kNaN}, DType::f64);
  for (auto f : {greater, greater_equal, less, less_equal, equal}) {
    CHECK(results([f](Var x, Var y) { return f(x, y, Where::here()); }, a, b) == Numbers{0, 0, 0});
  }
  CHECK(results([](Var x, Var y) { return not_equal(x, y); }, a, b) == Numbers{1, 1, 1});
}

TEST_CASE("the unused bits of a mask are zero whatever made it") {
  for (std::int64_t n : {1, 3, 7, 8, 9, 65, 130}) {
    CAPTURE(n);
    Tape tape;
    const Var zeros = tape.constant(Tensor::zeros({n}));
    const Var all = equal(zeros, 0);
    for (Var mask : {all, logical_not(greater(zeros, 0)), logical_or(all, all), cast(zeros + 1, DType::mask),
                     cast(tape.constant(Tensor::ones({n}, DType::i64)), DType::mask)}) {
      const Tensor bits = value(mask);
      CHECK(numbers(bits) == Numbers(static_cast<std::size_t>(n), 1));
      if (n % 8 == 0) continue;
      const auto last = static_cast<const std::uint8_t*>(bits.bytes())[n / 8];
      CHECK(last == (1U << n % 8) - 1);
    }
  }
}

TEST_CASE("masks combine bit by bit and broadcast") {
  const Tensor a = Tensor::mask({{0, 0, 1, 1}});
  const Tensor b = Tensor::mask({0, 1, 0, 1});
  CHECK(results([](Var x, Var y) { return logical_and(x, y); }, a, b) == Numbers{0, 0, 0, 1});
  CHECK(results([](Var x, Var y) { return logical_or(x, y); }, a, b) == Numbers{0, 1, 1, 1});
  CHECK(results([](Var x) { return logical_not(x); }, b) == Numbers{1, 0, 1, 0});
  const Tensor column = Tensor::mask({{1}, {0}});
  CHECK(results([](Var x, Var y) { return logical_and(x, y); }, column, b) ==
        Numbers{0, 1, 0, 1, 0, 0, 0, 0});
}

TEST_CASE("logical_xor is 1 where exactly one mask is") {
  const auto f = [](Var a, Var b) { return logical_xor(a, b); };
  CHECK(results(f, Tensor::mask({1, 1, 0, 0}), Tensor::mask({1, 0, 1, 0})) ==
        std::vector<double>{0, 1, 1, 0});
}

TEST_CASE("where chooses; what is not chosen leaves no trace, even NaN") {
  for (DType dtype : {DType::f32, DType::f64}) {
    Tape tape;
    const Var mask = tape.constant(Tensor::mask({1, 0, 1, 0}));
    const Var a = tape.variable("a", Tensor({1, kNaN, -0.0, kInf}, dtype));
    const Var b = tape.variable("b", Tensor({kNaN, 2, kInf, 4}, dtype));
    const Var y = where(mask, a, b);
    CHECK(numbers(value(y)) == Numbers{1, 2, 0, 4});
    CHECK(std::signbit(value(y).at(2)));
    const Var g = tape.constant(Tensor({5, kNaN, 6, kInf}, dtype));
    CHECK(numbers(value(vjp(y, a, g))) == Numbers{5, 0, 6, 0});
    const Var h = tape.constant(Tensor({kNaN, 7, kInf, 8}, dtype));
    CHECK(numbers(value(vjp(y, b, h))) == Numbers{0, 7, 0, 8});
    CHECK(numbers(value(jvp(y, a, g))) == Numbers{5, 0, 6, 0});
    CHECK(numbers(value(jvp(y, b, h))) == Numbers{0, 7, 0, 8});
  }
}

TEST_CASE("where broadcasts all three and takes numbers") {
  const Tensor mask = Tensor::mask({{1}, {0}});
  const Tensor row({1, 2, 3}, DType::f64);
  CHECK(results([](Var m, Var x) { return where(m, x, 9); }, mask, row) == Numbers{1, 2, 3, 9, 9, 9});
  CHECK(results([](Var m, Var x) { return where(m, -1, x); }, mask, row) == Numbers{-1, -1, -1, 1, 2, 3});
}

TEST_CASE("masked_fill fills where the mask is 1, and equals its body") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({{1, 2}, {3, kNaN}}, DType::f64));
  const Var mask = tape.constant(Tensor::mask({0, 1}));
  const Var y = masked_fill(x, mask, -kInf);
  const Var body = where(mask, -kInf, x);
  CHECK(numbers(value(y)) == Numbers{1, -kInf, 3, -kInf});
  CHECK(value(y).same_bits(value(body)));
  const Var g = tape.constant(Tensor({{5, kNaN}, {6, 7}}, DType::f64));
  CHECK(numbers(value(vjp(y, x, g))) == Numbers{5, 0, 6, 0});
  CHECK(numbers(value(jvp(y, x, g))) == Numbers{5, 0, 6, 0});
}

TEST_CASE("cast converts between all dtypes") {
  const Tensor x({-1.5, 0, 2.75}, DType::f64);
  for (DType from : {DType::f32, DType::f64, DType::i64, DType::mask}) {
    for (DType to : {DType::f32, DType::f64, DType::i64, DType::mask}) {
      CAPTURE(to_string(from));
      CAPTURE(to_string(to));
      Tape tape;
      const Var y = cast(tape.constant(x.to(from)), to);
      CHECK(y.dtype() == to);
      CHECK(value(y).same_bits(x.to(from).to(to)));
    }
  }
}

TEST_CASE("a cast to i64 saturates, and makes NaN 0") {
  for (DType from : {DType::f32, DType::f64}) {
    Tape tape;
    const Var x = tape.constant(Tensor({-1.9, 1.9, 1e30, -1e30, kInf, -kInf, kNaN}, from));
    const Tensor y = value(cast(x, DType::i64));
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
    const std::vector<std::int64_t> expected{-1, 1, kMost, kLeast, kMost, kLeast, 0};
    const auto given = y.data<std::int64_t>();
    CHECK(std::vector<std::int64_t>(given.begin(), given.end()) == expected);
  }
}

TEST_CASE("a cast to a mask keeps what is not 0") {
  Tape tape;
  const Var x = tape.constant(Tensor({0.0, -0.0, 1e-45, kNaN, -kInf}));
  CHECK(numbers(value(cast(x, DType::mask))) == Numbers{0, 0, 1, 1, 1});
}

TEST_CASE("the cotangent of a cast between f32 and f64 is cast back") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({1, 2}, DType::f32));
  const Var y = square(cast(x, DType::f64));
  const Var g = grad(sum(y), x);
  CHECK(g.dtype() == DType::f32);
  CHECK(numbers(value(g)) == Numbers{2, 4});
  const Var t = jvp(y, x, tape.constant(Tensor({1, 1})));
  CHECK(t.dtype() == DType::f64);
  CHECK(numbers(value(t)) == Numbers{2, 4});
  CHECK(cast(x, DType::f32) == x);
}

TEST_CASE("no derivative passes through a cast to i64 or a comparison") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({1, 2}, DType::f32));
  CHECK(numbers(value(grad(sum(cast(cast(x, DType::i64), DType::f32)), x))) == Numbers{0, 0});
  CHECK(numbers(value(grad(sum(cast(greater(x, 1), DType::f32)), x))) == Numbers{0, 0});
  const Var mask = greater(x, 1);
  CHECK_THROWS_AS(grad(sum(mul(x, mask)), mask), DTypeError);
}

TEST_CASE("stop_gradient is the identity for values and zero for derivatives") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({2, 3}, DType::f64));
  const Var y = x * stop_gradient(x);
  CHECK(numbers(value(y)) == Numbers{4, 9});
  CHECK(numbers(value(stop_gradient(greater(x, 2)))) == Numbers{0, 1});
  CHECK(numbers(value(grad(sum(y), x))) == Numbers{2, 3});
  CHECK(numbers(value(jvp(y, x, full_like(x, 1)))) == Numbers{2, 3});
  CHECK(numbers(value(grad(sum(stop_gradient(square(x))), x))) == Numbers{0, 0});
}

TEST_CASE("wrong dtypes and shapes of mask operations throw and leave the tape as it was") {
  Tape tape;
  const Var mask = tape.constant(Tensor::mask({{1, 0}}));
  const Var x = tape.constant(Tensor({{1, 2}, {3, 4}}));
  const Var wide = tape.constant(Tensor({{1, 2}, {3, 4}}, DType::f64));
  const Var integers = tape.constant(Tensor({1, 2}, DType::i64));
  const Var three = tape.constant(Tensor::mask({1, 0, 1}));
  const std::size_t size = tape.size();
  CHECK_THROWS_AS(greater(x, wide), DTypeError);
  CHECK_THROWS_AS(greater(mask, mask), DTypeError);
  CHECK_THROWS_AS(greater(mask, 1), DTypeError);
  CHECK_THROWS_AS(equal(integers, 0.5), ValueError);
  CHECK_THROWS_AS(equal(integers, 1e300), ValueError);
  CHECK_THROWS_AS(logical_and(mask, x), DTypeError);
  CHECK_THROWS_AS(logical_not(x), DTypeError);
  CHECK_THROWS_AS(logical_or(mask, three), ShapeError);
  CHECK_THROWS_AS(where(x, x, x), DTypeError);
  CHECK_THROWS_AS(where(mask, x, wide), DTypeError);
  CHECK_THROWS_AS(where(mask, integers, x), DTypeError);
  CHECK_THROWS_AS(where(three, x, 0), ShapeError);
  CHECK_THROWS_AS(where(mask, 1, 0), ValueError);
  CHECK_THROWS_AS(masked_fill(x, x, 0), DTypeError);
  CHECK_THROWS_AS(masked_fill(x, three, 0), ShapeError);
  CHECK(tape.size() == size);
}
