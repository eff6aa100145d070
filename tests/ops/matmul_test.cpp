#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <backdrop/core/error.hpp>
#include <limits>

#include "integers.hpp"

namespace bd = backdrop;
using bd::DType;
using bd::Shape;
using bd::Tensor;
using bd::Var;

namespace {

Tensor transposed(const Tensor& x) {
  const auto rows = static_cast<std::size_t>(x.shape()[0]), columns = static_cast<std::size_t>(x.shape()[1]);
  Tensor y = Tensor::uninitialized({x.shape()[1], x.shape()[0]}, DType::f64);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) y.mutable_data<double>()[j * rows + i] = x.at(i * columns + j);
  }
  return y;
}

// The definition, for matrices of f64.
Tensor product(const Tensor& a, const Tensor& b) {
  const auto m = static_cast<std::size_t>(a.shape()[0]), k = static_cast<std::size_t>(a.shape()[1]),
             n = static_cast<std::size_t>(b.shape()[1]);
  Tensor y = Tensor::zeros({a.shape()[0], b.shape()[1]}, DType::f64);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t l = 0; l < k; ++l) {
        y.mutable_data<double>()[i * n + j] += a.at(i * k + l) * b.at(l * n + j);
      }
    }
  }
  return y;
}

// Matrix `at` of a stack of rank 3.
Tensor page(const Tensor& x, std::int64_t at) {
  const auto size = static_cast<std::size_t>(x.shape()[1] * x.shape()[2]);
  return Tensor::from(x.data<double>().subspan(static_cast<std::size_t>(at) * size, size),
                      {x.shape()[1], x.shape()[2]});
}

}  // namespace

TEST_CASE("a product by hand") {
  bd::Tape tape;
  const Var a = tape.constant({{1, 2, 3}, {4, 5, 6}});
  const Var b = tape.constant({{1, 0}, {0, 1}, {2, -1}});
  CHECK(value(bd::matmul(a, b)).same_bits({{7, -1}, {16, -1}}));
}

TEST_CASE("every flag, at sizes from one element to several panels, gives the definition's product") {
  const std::int64_t sizes[][3] = {{1, 1, 1},    {1, 5, 3},   {3, 5, 1},       {4, 1, 4},
                                   {17, 33, 65}, {1, 70, 90}, {130, 300, 257}, {300, 270, 129}};
  for (const auto& [m, k, n] : sizes) {
    const Tensor a = integers::tensor({m, k}, 1), b = integers::tensor({k, n}, 2), y = product(a, b);
    for (const DType dtype : {DType::f32, DType::f64}) {
      for (const bool ta : {false, true}) {
        for (const bool tb : {false, true}) {
          bd::Tape tape;
          const Var left = tape.constant((ta ? transposed(a) : a).to(dtype));
          const Var right = tape.constant((tb ? transposed(b) : b).to(dtype));
          CHECK(value(bd::matmul(left, right, {ta, tb})).same_bits(y.to(dtype)));
        }
      }
    }
  }
}

TEST_CASE("one thread and two give the same bits") {
  // Fractions, whose sums round differently in every order.
  const auto fractions = [](const Shape& shape, unsigned seed) {
    std::vector<float> numbers(shape.numel());
    for (std::size_t k = 0; k < numbers.size(); ++k) {
      numbers[k] = 1.0f / static_cast<float>((k * 2654435761U + seed) % 1009 + 1);
    }
    return Tensor::from(numbers, shape);
  };
  const std::int64_t sizes[][3] = {{128, 784, 256}, {128, 256, 784}, {784, 128, 256}, {1, 2000, 3000},
                                   {3000, 2000, 1}, {100, 100, 100}, {513, 257, 129}, {7, 5000, 700}};
  for (const auto& [m, k, n] : sizes) {
    for (const bool flag : {false, true}) {
      bd::Tape tape;
      const Var a = tape.constant(fractions(flag ? Shape{k, m} : Shape{m, k}, 1));
      const Var b = tape.constant(fractions(flag ? Shape{n, k} : Shape{k, n}, 2));
      const Var y = bd::matmul(a, b, {flag, flag});
      const Tensor one = value(y, {.feeds = {}, .step = {}, .threads = 1});
      CHECK(one.same_bits(value(y, {.feeds = {}, .step = {}, .threads = 2})));
    }
  }
}

TEST_CASE("a sum over no terms is zero, and empty outputs are empty") {
  bd::Tape tape;
  const auto empty = [&](const Shape& shape) { return tape.constant(Tensor::zeros(shape)); };
  CHECK(value(bd::matmul(empty({2, 0}), empty({0, 3}))).same_bits(Tensor::zeros({2, 3})));
  CHECK(bd::matmul(empty({0, 4}), empty({4, 3})).shape() == Shape{0, 3});
  CHECK(value(bd::matmul(empty({0, 4}), empty({4, 3}))).numel() == 0);
  CHECK(value(bd::matmul(empty({0, 2, 4}), empty({0, 4, 3}))).shape() == Shape{0, 2, 3});
  CHECK(value(bd::matmul(empty({0, 2, 4}), empty({4, 3}))).shape() == Shape{0, 2, 3});
  CHECK(value(bd::matmul(empty({0}), empty({0}))).item() == 0);
}

TEST_CASE("vectors follow NumPy: a row on the left, a column on the right, their axis dropped") {
  bd::Tape tape;
  const Var m = tape.constant({{1, 2}, {3, 4}});
  const Var v = tape.constant({10, 1});
  CHECK(value(bd::matmul(m, v)).same_bits({12, 34}));
  CHECK(value(bd::matmul(v, m)).same_bits({13, 24}));
  CHECK(value(bd::matmul(v, m, {.transpose_b = true})).same_bits({12, 34}));
  CHECK(value(bd::matmul(v, v)).same_bits(Tensor::scalar(101)));
  const Var stack = tape.constant({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}});
  CHECK(value(bd::matmul(stack, v)).same_bits({{12, 34}, {56, 78}}));
  CHECK(value(bd::matmul(v, stack)).same_bits({{13, 24}, {57, 68}}));
}

TEST_CASE("leading axes broadcast") {
  const Tensor a = integers::tensor({3, 2, 4}, 1), b = integers::tensor({3, 4, 5}, 2);
  bd::Tape tape;
  const Var stack_a = tape.constant(a), stack_b = tape.constant(b);
  const Tensor y = value(bd::matmul(stack_a, stack_b));
  const Tensor crossed = value(bd::matmul(bd::reshape(stack_a, {3, 1, 2, 4}), stack_b));
  const Tensor folded = value(bd::matmul(stack_a, tape.constant(page(b, 1))));
  const Tensor repeated = value(bd::matmul(tape.constant(page(a, 2)), stack_b));
  CHECK(crossed.shape() == Shape{3, 3, 2, 5});
  for (std::int64_t i = 0; i < 3; ++i) {
    CHECK(page(y, i).same_bits(product(page(a, i), page(b, i))));
    CHECK(page(folded, i).same_bits(product(page(a, i), page(b, 1))));
    CHECK(page(repeated, i).same_bits(product(page(a, 2), page(b, i))));
    for (std::int64_t j = 0; j < 3; ++j) {
      CHECK(page(crossed.reshape({9, 2, 5}), 3 * i + j).same_bits(product(page(a, i), page(b, j))));
    }
  }
}

TEST_CASE("many small matrices give the same bits on two threads") {
  bd::Tape tape;
  const Tensor a = integers::tensor({500, 20, 30}, 1), b = integers::tensor({500, 30, 10}, 2);
  const Var y = bd::matmul(tape.constant(a), tape.constant(b));
  const Tensor two = value(y, {.feeds = {}, .step = {}, .threads = 2});
  CHECK(two.same_bits(value(y, {.feeds = {}, .step = {}, .threads = 1})));
  CHECK(page(two, 499).same_bits(product(page(a, 499), page(b, 499))));
}

TEST_CASE("the gradient of a product by hand, recorded without transposes") {
  bd::Tape tape;
  const Var a = tape.variable("a", Tensor({{1, 2, 3}, {4, 5, 6}}));
  const Var b = tape.variable("b", Tensor({{1, 0}, {0, 1}, {2, -1}}));
  const Var y = bd::matmul(a, b);
  const Var g = tape.constant({{1, 10}, {100, 1000}});
  CHECK(value(bd::vjp(y, a, g)).same_bits({{1, 10, -8}, {100, 1000, -800}}));
  CHECK(value(bd::vjp(y, b, g)).same_bits({{401, 4010}, {502, 5020}, {603, 6030}}));
  const std::size_t before = tape.size();
  static_cast<void>(bd::vjp(y, a, g));
  CHECK(tape.size() == before + 1);
}

TEST_CASE("vjp is the transpose of jvp for every flag, batch and vector, to second order") {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const auto check = [&](const Shape& left, const Shape& right, bool flag_a, bool flag_b) {
        bd::Tape tape;
        const Var a = tape.variable("a", integers::tensor(left, 3));
        const Var b = tape.variable("b", integers::tensor(right, 4));
        const Var y = bd::matmul(a, b, {flag_a, flag_b});
        integers::check_transposes(y, {a, b});
        for (const Var gradient : bd::grad(bd::sum(bd::square(y)), {a, b})) {
          integers::check_transposes(gradient, {a, b});
        }
      };
      check(ta ? Shape{3, 2} : Shape{2, 3}, tb ? Shape{4, 3} : Shape{3, 4}, ta, tb);
      check(ta ? Shape{5, 3, 2} : Shape{5, 2, 3}, tb ? Shape{5, 4, 3} : Shape{5, 3, 4}, ta, tb);
      check(ta ? Shape{5, 3, 2} : Shape{5, 2, 3}, tb ? Shape{4, 3} : Shape{3, 4}, ta, tb);
      check(ta ? Shape{3, 2} : Shape{2, 3}, tb ? Shape{5, 4, 3} : Shape{5, 3, 4}, ta, tb);
      check(Shape{3}, tb ? Shape{5, 4, 3} : Shape{5, 3, 4}, false, tb);
      check(ta ? Shape{5, 3, 2} : Shape{5, 2, 3}, Shape{3}, ta, false);
    }
  }
  bd::Tape tape;
  const Var v = tape.variable("v", integers::tensor({3}, 3));
  integers::check_transposes(bd::matmul(v, v), {v});
  const Var none = tape.variable("none", Tensor::zeros({2, 0}, DType::f64));
  integers::check_transposes(bd::matmul(none, none, {.transpose_b = true}), {none});
}

TEST_CASE("the same operand twice: d sum(a a) / da = 1 a' + a' 1") {
  bd::Tape tape;
  const Var a = tape.variable("a", Tensor({{1, 2}, {3, 4}}));
  CHECK(value(bd::grad(bd::sum(bd::matmul(a, a)), a)).same_bits({{7, 11}, {9, 13}}));
}

TEST_CASE("NaN and infinity reach what they touch and nothing else") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  bd::Tape tape;
  const Tensor y = value(bd::matmul(tape.constant({{nan, 1}, {inf, 1}, {1, 2}}), tape.constant({{1}, {1}})));
  CHECK(y.same_bits({{nan}, {inf}, {3}}));
}

TEST_CASE("operands that do not fit are refused with a remedy, and the tape stays as it was") {
  bd::Tape tape;
  const auto leaf = [&](const Shape& shape, DType dtype = DType::f32) {
    return tape.constant(Tensor::zeros(shape, dtype));
  };
  const Var a = leaf({8, 16}), b = leaf({4, 16}), c = leaf({8, 5}), v = leaf({16}), s = leaf({});
  const Var whole = leaf({16, 2}, DType::i64), wide = leaf({16, 2}, DType::f64);
  const Var stack = leaf({2, 8, 16}), other = leaf({3, 16, 4}), wide_stack = leaf({3, 1, 16, 4}, DType::f64);
  const auto refuse = [&]<class E>(const char* text, Var x, Var y, bd::MatmulOptions options = {}) {
    integers::check_refused<E>(tape, text, [&] { static_cast<void>(bd::matmul(x, y, options)); });
  };
  refuse.operator()<bd::ShapeError>(
      "matmul: inner dimensions differ: [8, 16] x [4, 16]; transpose the second?", a, b);
  refuse.operator()<bd::ShapeError>("matmul: inner dimensions differ: [8, 16] x [8, 5]; transpose the first?",
                                    a, c);
  refuse.operator()<bd::ShapeError>("matmul: inner dimensions differ: [8, 5] x [4, 16]", c, b);
  refuse.operator()<bd::ShapeError>("matmul: inner dimensions differ: [8, 5] x [16]", c, v);
  refuse.operator()<bd::ShapeError>("matmul: the first operand is a scalar; use mul()", s, a);
  refuse.operator()<bd::ShapeError>(
      "matmul: the second operand is the vector [16], which has no transpose; reshape it to a matrix", a, v,
      {.transpose_b = true});
  refuse.operator()<bd::DTypeError>("matmul: input 'b' is i64, but must be f32, as 'a' is; cast one of them",
                                    a, whole);
  refuse.operator()<bd::DTypeError>("matmul: input 'a' is i64; use f32 or f64, or cast it", whole, whole,
                                    {.transpose_a = true});
  refuse.operator()<bd::DTypeError>("matmul: input 'b' is f64, but must be f32, as 'a' is; cast one of them",
                                    v, wide);
  refuse.operator()<bd::DTypeError>("matmul: input 'b' is f64, but must be f32, as 'a' is; cast one of them",
                                    stack, wide_stack);
  const std::size_t before = tape.size();
  CHECK_THROWS_AS(static_cast<void>(bd::matmul(stack, other)), bd::ShapeError);
  CHECK(tape.size() == before);
}
