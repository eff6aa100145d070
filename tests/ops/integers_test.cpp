#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <backdrop/core/error.hpp>
#include <cstdint>
#include <limits>
#include <vector>

#include "evaluate.hpp"

// What chooses among numbers, or leaves them out, takes i64 too: labels and positions are chosen from as
// well. Nothing here computes with them, and they carry no derivative.

using namespace backdrop;

namespace {

constexpr std::int64_t kBig = (std::int64_t{1} << 53) + 1;  // no f64 holds it
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

Tensor integers(const std::vector<std::int64_t>& numbers, const Shape& shape) {
  return Tensor::from(numbers, shape);
}
Tensor integers(const std::vector<std::int64_t>& numbers) {
  return integers(numbers, {static_cast<std::int64_t>(numbers.size())});
}

}  // namespace

TEST_CASE("where, maximum and minimum choose among i64 without rounding them") {
  Tape tape;
  const Var a = tape.constant(integers({kBig, -kBig, kMost, 4, -7, 0, 0, 1, 9}));
  const Var b = tape.constant(integers({kBig - 1, 1 - kBig, kMost - 1, 4, 7, -1, 1, 0, 8}));
  CHECK(value(maximum(a, b)).same_bits(integers({kBig, 1 - kBig, kMost, 4, 7, 0, 1, 1, 9})));
  CHECK(value(minimum(a, b)).same_bits(integers({kBig - 1, -kBig, kMost - 1, 4, -7, -1, 0, 0, 8})));
  CHECK(value(where(greater(a, b), a, b)).same_bits(value(maximum(a, b))));
  CHECK(value(where(less(a, 0), -1, b)).same_bits(integers({kBig - 1, -1, kMost - 1, 4, -1, -1, 1, 0, 8})));
  CHECK(value(masked_fill(a, less(a, 5), 5)).same_bits(integers({kBig, 5, kMost, 5, 5, 5, 5, 5, 9})));
  CHECK(value(maximum(a, 3)).same_bits(integers({kBig, 3, kMost, 4, 3, 3, 3, 3, 9})));
}

TEST_CASE("a mask selects from i64, along diagonals too") {
  Tape tape;
  const Var a = tape.constant(integers({kBig, 2, 3, 4, 5, 6}, {2, 3}));
  CHECK(value(mul(a, greater(a, 3))).same_bits(integers({kBig, 0, 0, 4, 5, 6}, {2, 3})));
  CHECK(value(tril(a)).same_bits(integers({kBig, 0, 0, 4, 5, 0}, {2, 3})));
  CHECK(value(triu(a, 1)).same_bits(integers({0, 2, 3, 0, 0, 6}, {2, 3})));
}

TEST_CASE("clip holds i64 between whole bounds, or none") {
  Tape tape;
  const Var a = tape.constant(integers({-kMost, -3, 0, 4, kBig, kMost}));
  CHECK(value(clip(a, -1, 3)).same_bits(integers({-1, -1, 0, 3, 3, 3})));
  CHECK(value(clip(a, -kInf, 3)).same_bits(integers({-kMost, -3, 0, 3, 3, 3})));
  CHECK(value(clip(a, 0, kInf)).same_bits(integers({0, 0, 0, 4, kBig, kMost})));
  CHECK(value(clip(a, 1, 1e300)).same_bits(integers({1, 1, 1, 4, kBig, kMost})));
  CHECK_THROWS_AS(clip(a, 0.5, 3), DTypeError);
  CHECK_THROWS_AS(clip(a, 0, 2.5), DTypeError);
}

TEST_CASE("i64 do not mix with floats, take no fraction, and are not masks") {
  Tape tape;
  const Var a = tape.constant(integers({1, 2})), x = tape.constant({1, 2});
  const Var mask = greater(a, 1);
  CHECK_THROWS_AS(where(mask, a, x), DTypeError);
  CHECK_THROWS_AS(where(mask, a, 0.5), ValueError);
  CHECK_THROWS_AS(masked_fill(a, mask, 0.5), ValueError);
  CHECK_THROWS_AS(masked_fill(a, mask, kNaN), ValueError);
  CHECK_THROWS_AS(masked_fill(a, mask, 0x1p63), ValueError);
  CHECK_THROWS_AS(maximum(a, x), DTypeError);
  CHECK_THROWS_AS(maximum(mask, mask), DTypeError);
  CHECK_THROWS_AS(where(mask, mask, mask), DTypeError);
  CHECK_THROWS_AS(mul(a, a), DTypeError);
}

TEST_CASE("i64 chosen on the way leave derivatives alone") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({1, 2, 3, 4}));
  const Var at = tape.constant(integers({3, -5, 7, 1}));
  const Var y = index_select(square(x), clip(maximum(where(less(at, 0), 0, at), 1), 0, 3), 0);
  CHECK(value(grad(sum(y), x)).same_bits(Tensor({0, 4 + 4, 0, 8 + 8})));
  CHECK_THROWS(grad(sum(cast(maximum(at, 1), DType::f32)), at));
}
