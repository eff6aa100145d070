#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

using namespace backdrop;

TEST_CASE("arange computes each element anew, so that no error adds up") {
  Tape tape;
  const Tensor y = value(arange(tape, 1000001, 0, 0.1, DType::f64));
  CHECK(y.data<double>()[1000000] == 1000000 * 0.1);
  CHECK(y.data<double>()[3] == 3 * 0.1);
}

TEST_CASE("arange makes i64 of whole numbers alone") {
  Tape tape;
  CHECK(value(arange(tape, 4, 7, -2)).same_bits(Tensor({7, 5, 3, 1}, DType::i64)));
  CHECK(value(arange(tape, 0)).shape() == Shape{0});
  CHECK_THROWS_AS(arange(tape, 3, 0.5), ValueError);
  CHECK_THROWS_AS(arange(tape, 3, 0, 0x1p53), ValueError);
  CHECK_THROWS_AS(arange(tape, -1), ShapeError);
  CHECK_THROWS_AS(arange(tape, 3, 0, 1, DType::mask), DTypeError);
}
