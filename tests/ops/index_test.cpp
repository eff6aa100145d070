#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <backdrop/core/error.hpp>
#include <functional>
#include <vector>

#include "integers.hpp"

namespace bd = backdrop;
using bd::DType;
using bd::Shape;
using bd::Tensor;
using bd::Var;

namespace {

// Whole numbers in [0, n).
Tensor indices(const Shape& shape, std::int64_t n) {
  std::vector<std::int64_t> index(shape.numel());
  for (std::size_t k = 0; k < index.size(); ++k) {
    index[k] = static_cast<std::int64_t>((k * 2654435761U >> 7) % static_cast<std::size_t>(n));
  }
  return Tensor::from(index, shape);
}

}  // namespace

TEST_CASE("rows of a table by index, and their gradient summed back in place") {
  bd::Tape tape;
  const Var table = tape.variable("table", Tensor({{1, 2}, {3, 4}, {5, 6}}));
  const Var index = tape.constant(Tensor({2, 0, 2}, DType::i64));
  const Var y = bd::index_select(table, index);
  CHECK(value(y).same_bits({{5, 6}, {1, 2}, {5, 6}}));
  const Var g = tape.constant({{1, 10}, {100, 1000}, {2, 20}});
  CHECK(value(bd::vjp(y, table, g)).same_bits({{100, 1000}, {0, 0}, {3, 30}}));
}

TEST_CASE("indices of any rank stand in the place of the axis") {
  bd::Tape tape;
  const Tensor x = integers::tensor({3, 5, 4}, 1);
  const Tensor index = indices({2, 6}, 5);
  const Var y = bd::index_select(tape.constant(x), tape.constant(index), 1);
  REQUIRE(y.shape() == Shape{3, 2, 6, 4});
  const Tensor picked = value(y);
  for (std::size_t n = 0; n < picked.numel(); ++n) {
    const std::size_t a = n / 48, i = n / 4 % 12, b = n % 4;
    REQUIRE(picked.at(n) == x.at((a * 5 + static_cast<std::size_t>(index.at(i))) * 4 + b));
  }
  const Var one = tape.constant(Tensor::scalar(3, DType::i64));
  CHECK(bd::index_select(tape.constant(x), one, -1).shape() == Shape{3, 5});
  CHECK(bd::index_select(tape.constant(integers::tensor({4, 2}, 1, DType::i64)), tape.constant(index))
            .dtype() == DType::i64);
}

TEST_CASE("gather picks one element per place: the label's score of each row") {
  bd::Tape tape;
  const Var scores = tape.variable("scores", Tensor({{1, 2, 3}, {4, 5, 6}}));
  const Var labels = tape.constant(Tensor({{2}, {0}}, DType::i64));
  const Var y = bd::gather(scores, labels, -1);
  CHECK(value(y).same_bits({{3}, {4}}));
  CHECK(value(bd::vjp(y, scores, tape.constant({{10}, {20}}))).same_bits({{0, 0, 10}, {20, 0, 0}}));
  const Var down = tape.constant(Tensor({{1, 0, 1}, {1, 1, 0}, {0, 0, 0}}, DType::i64));
  CHECK(value(bd::gather(scores, down, 0)).same_bits({{4, 2, 6}, {4, 5, 3}, {1, 2, 3}}));
}

TEST_CASE("terms for one place are added in the order of the index") {
  bd::Tape tape;
  // In f32, (1e8 + 1) - 1e8 is 0, and (1e8 - 1e8) + 1 is 1.
  const Var first = tape.constant({1e8, 1, -1e8}), second = tape.constant({1e8, -1e8, 1});
  const Var index = tape.constant(Tensor({0, 0, 0}, DType::i64));
  CHECK(value(bd::index_add(first, index, 0, 1)).same_bits({0}));
  CHECK(value(bd::index_add(second, index, 0, 1)).same_bits({1}));
  CHECK(value(bd::scatter_add(first, index, 0, 2)).same_bits({0, 0}));
  CHECK(value(bd::scatter_add(second, index, 0, 2)).same_bits({1, 0}));
}

TEST_CASE("one_hot marks the class") {
  bd::Tape tape;
  const Var labels = tape.constant(Tensor({{2, 0}, {1, 1}}, DType::i64));
  CHECK(value(bd::one_hot(labels, 3)).same_bits({{{0, 0, 1}, {1, 0, 0}}, {{0, 1, 0}, {0, 1, 0}}}));
  CHECK(bd::one_hot(labels, 3, DType::f64).dtype() == DType::f64);
}

TEST_CASE("vjp is the transpose of jvp for all that picks and adds, to second order") {
  const auto check = [](const Shape& shape, const Tensor& index, const std::function<Var(Var, Var)>& f) {
    bd::Tape tape;
    const Var x = tape.variable("x", integers::tensor(shape, 2));
    const Var y = f(x, tape.constant(index));
    integers::check_transposes(y, {x});
    integers::check_transposes(bd::grad(bd::sum(bd::mul(bd::square(y), y)), x), {x});
  };
  check({4, 3}, indices({5}, 4), [](Var x, Var i) { return bd::index_select(x, i); });
  check({2, 4, 3}, indices({2, 3}, 4), [](Var x, Var i) { return bd::index_select(x, i, 1); });
  check({2, 4, 3}, indices({}, 3), [](Var x, Var i) { return bd::index_select(x, i, 2); });
  check({2, 5, 3}, indices({5}, 4), [](Var x, Var i) { return bd::index_add(x, i, 1, 4); });
  check({2, 5, 3}, indices({2, 5}, 4), [](Var x, Var i) { return bd::index_add(x, i, 0, 4); });
  check({2, 5}, indices({}, 4), [](Var x, Var i) { return bd::index_add(x, i, -1, 4); });
  check({2, 5, 3}, indices({2, 4, 3}, 5), [](Var x, Var i) { return bd::gather(x, i, 1); });
  check({2, 5, 3}, indices({7, 5, 3}, 2), [](Var x, Var i) { return bd::gather(x, i, 0); });
  check({2, 5, 3}, indices({2, 5, 3}, 4), [](Var x, Var i) { return bd::scatter_add(x, i, 2, 4); });
  check({0, 3}, indices({0}, 1), [](Var x, Var i) { return bd::index_select(x, i, 1); });
  check({0, 3}, indices({0}, 1), [](Var x, Var i) { return bd::index_add(x, i, 0, 2); });
}

TEST_CASE("adding nothing gives zeros") {
  bd::Tape tape;
  const Var none = tape.constant(Tensor::zeros({0, 3})),
            index = tape.constant(Tensor::zeros({0}, DType::i64));
  CHECK(value(bd::index_add(none, index, 0, 2)).same_bits(Tensor::zeros({2, 3})));
  CHECK(value(bd::one_hot(index, 4)).shape() == Shape{0, 4});
}

TEST_CASE("large sums give the same bits on one thread and two") {
  bd::Tape tape;
  const auto fractions = [&](const Shape& shape) {
    std::vector<float> numbers(shape.numel());
    for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = 1.0f / static_cast<float>(k % 1009 + 1);
    return tape.constant(Tensor::from(numbers, shape));
  };
  const Var rows = tape.constant(indices({3000}, 50)), all = tape.constant(indices({40, 300, 20}, 30));
  for (const Var y :
       {bd::index_add(fractions({3000, 200}), rows, 0, 50),
        bd::scatter_add(fractions({40, 300, 20}), all, 1, 30), bd::index_select(fractions({50, 200}), rows),
        bd::gather(fractions({40, 30, 20}), all, 1)}) {
    const Tensor one = value(y, {.feeds = {}, .step = {}, .threads = 1});
    CHECK(one.same_bits(value(y, {.feeds = {}, .step = {}, .threads = 2})));
  }
}

TEST_CASE("an index outside its axis stops the run before any update, naming op, index and extent") {
  bd::Tape tape;
  const bd::Variable weights("w", Tensor({{1, 2}, {3, 4}}));
  const Var w = tape.variable(weights), index = tape.input("index", {1}, DType::i64);
  const Var next = bd::index_select(w, index);
  const bd::Program program = bd::compile(tape, {.outputs = {next}, .updates = {{weights, bd::scale(w, 2)}}});
  const auto refuse = [](const bd::Program& p, const char* name, std::int64_t at, const char* text) {
    CHECK_THROWS_WITH_AS(p.run({{name, Tensor::full({1}, static_cast<double>(at), DType::i64)}}), text,
                         bd::ValueError);
  };
  refuse(program, "index", 2, "index_select: index 2 (element 0 of the indices) lies outside [0, 2)");
  refuse(program, "index", -1, "index_select: index -1 (element 0 of the indices) lies outside [0, 2)");
  CHECK(weights.value().same_bits({{1, 2}, {3, 4}}));
  CHECK(program.run({{"index", Tensor({1}, DType::i64)}})[0].same_bits({{3, 4}}));

  const Var x = tape.constant({1});
  const auto compiled = [&](Var y) { return bd::compile(tape, {.outputs = {y}, .updates = {}}); };
  refuse(compiled(bd::index_add(x, index, 0, 3)), "index", 3,
         "index_add: index 3 (element 0 of the indices) lies outside [0, 3)");
  refuse(compiled(bd::gather(x, index, 0)), "index", 1,
         "gather: index 1 (element 0 of the indices) lies outside [0, 1)");
  refuse(compiled(bd::scatter_add(x, index, 0, 3)), "index", 5,
         "scatter_add: index 5 (element 0 of the indices) lies outside [0, 3)");
  refuse(compiled(bd::one_hot(index, 10)), "index", 10,
         "one_hot: index 10 (element 0 of the indices) lies outside [0, 10)");
}

TEST_CASE("operands that do not fit are refused, and the tape stays as it was") {
  bd::Tape tape;
  const Var x = tape.constant(Tensor::zeros({2, 3})), f = tape.constant({1, 2});
  const Var i = tape.constant(Tensor({0, 1}, DType::i64)), ii = tape.constant(Tensor({{0, 1}}, DType::i64));
  const Var mask = tape.constant(Tensor::mask({1, 0}));
  const auto refuse = [&]<class E>(const char* text, const std::function<void()>& record) {
    integers::check_refused<E>(tape, text, record);
  };
  using bd::DTypeError, bd::ShapeError;
  refuse.operator()<DTypeError>(
      "index_select: input 'indices' is f32, but must be i64; cast(x, DType::i64) makes "
      "indices from numbers",
      [&] { bd::index_select(x, f); });
  refuse.operator()<DTypeError>("gather: input 'x' is a mask; use f32, f64 or i64, or cast it",
                                [&] { bd::gather(mask, i, 0); });
  refuse.operator()<ShapeError>("gather: x [2, 3] and indices [2] differ outside of axis 0",
                                [&] { bd::gather(x, i, 0); });
  refuse.operator()<ShapeError>("gather: x [2, 3] and indices [1, 2] differ outside of axis 1",
                                [&] { bd::gather(x, ii, 1); });
}

TEST_CASE("sums refuse terms that do not match their indices") {
  bd::Tape tape;
  const Var x = tape.constant(Tensor::zeros({2, 3})), y = tape.constant(Tensor::zeros({1, 3}));
  const Var i = tape.constant(Tensor({0, 1}, DType::i64)), ii = tape.constant(Tensor({{0, 1}}, DType::i64));
  integers::check_refused<bd::ShapeError>(
      tape, "index_add: x is [2, 3], but must have the axes [2] of the indices from axis 1 on",
      [&] { bd::index_add(x, i, 1, 4); });
  integers::check_refused<bd::ShapeError>(tape, "scatter_add: shapes differ: [1, 3] and [1, 2]",
                                          [&] { bd::scatter_add(y, ii, 1, 3); });
  integers::check_refused<bd::ValueError>(tape, "index_add: extent = -1 lies outside [0, 9007199254740992]",
                                          [&] { bd::index_add(x, i, 0, -1); });
  integers::check_refused<bd::DTypeError>(tape, "one_hot: makes f32 or f64, not i64",
                                          [&] { bd::one_hot(i, 2, DType::i64); });
}
