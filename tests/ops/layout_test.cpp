#include <doctest/doctest.h>

#include <algorithm>
#include <backdrop/backdrop.hpp>
#include <backdrop/core/error.hpp>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "integers.hpp"

namespace bd = backdrop;
using bd::DType;
using bd::kBegin;
using bd::kEnd;
using bd::Shape;
using bd::Tensor;
using bd::Var;

namespace {

constexpr DType kAllDtypes[] = {DType::f32, DType::f64, DType::i64, DType::mask};

using Ints = std::span<const std::int64_t>;
using Index = std::vector<std::int64_t>;

std::size_t flat(const Shape& shape, const Index& index) {
  std::int64_t at = 0;
  for (std::size_t k = 0; k < shape.rank(); ++k) at = at * shape[k] + index[k];
  return static_cast<std::size_t>(at);
}

// The definition: y[i] = x[source(i)].
Tensor gathered(const Tensor& x, const Shape& shape, const std::function<Index(const Index&)>& source) {
  std::vector<double> y;
  Index index(shape.rank(), 0);
  for (std::size_t n = 0; n < shape.numel(); ++n) {
    y.push_back(x.at(flat(x.shape(), source(index))));
    for (std::size_t k = shape.rank(); k-- > 0 && ++index[k] == shape[k];) index[k] = 0;
  }
  return Tensor::from(y, shape).to(x.dtype());
}

Tensor counted(const Shape& shape) {
  return Tensor::arange(static_cast<std::int64_t>(shape.numel()), DType::f64).reshape(shape);
}

Var numbers(bd::Tape& tape, const Shape& shape) { return tape.constant(counted(shape)); }

}  // namespace

TEST_CASE("a matrix transposed by hand") {
  bd::Tape tape;
  const Var x = tape.constant({{1, 2, 3}, {4, 5, 6}});
  CHECK(value(bd::transpose(x)).same_bits({{1, 4}, {2, 5}, {3, 6}}));
  CHECK(value(bd::transpose(x, {0, 1})).same_bits(value(x)));
  CHECK(value(bd::swap_axes(x, 0, -1)).same_bits({{1, 4}, {2, 5}, {3, 6}}));
}

TEST_CASE("axis k of a transpose is axis axes[k], for every order, size and dtype") {
  for (const Shape& shape :
       {Shape{3, 4, 5}, Shape{2, 1, 3}, Shape{33, 70, 9}, Shape{0, 2, 3}, Shape{100, 3, 64}}) {
    Index order{0, 1, 2};
    do {
      for (const DType dtype : kAllDtypes) {
        const Tensor x = integers::tensor(shape, 1, dtype);
        std::vector<std::int64_t> extents;
        for (std::int64_t axis : order) extents.push_back(shape[static_cast<std::size_t>(axis)]);
        bd::Tape tape;
        const Tensor y = value(bd::transpose(tape.constant(x), order));
        CHECK(y.same_bits(gathered(x, Shape(extents), [&](const Index& i) {
          Index source(3);
          for (std::size_t k = 0; k < 3; ++k) source[static_cast<std::size_t>(order[k])] = i[k];
          return source;
        })));
      }
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_CASE("rank 0, rank 1 and rank 5 transpose, too") {
  bd::Tape tape;
  CHECK(value(bd::transpose(tape.constant(Tensor::scalar(3)))).item() == 3);
  CHECK(value(bd::transpose(tape.constant({1, 2}))).same_bits({1, 2}));
  const Tensor x = counted({2, 3, 4, 5, 6});
  const Tensor y = value(bd::transpose(tape.constant(x)));
  CHECK(y.shape() == Shape{6, 5, 4, 3, 2});
  CHECK(y.at(flat(y.shape(), {5, 1, 3, 2, 0})) == x.at(flat(x.shape(), {0, 2, 3, 1, 5})));
  CHECK(value(bd::transpose(tape.constant(y))).same_bits(x));
}

TEST_CASE("a slice by hand, with NumPy's clipping, negative positions and steps") {
  bd::Tape tape;
  const Var x = tape.constant({0, 1, 2, 3, 4, 5, 6});
  const auto cut = [&](std::int64_t start, std::int64_t stop, std::int64_t step) {
    return value(bd::slice(x, {start}, {stop}, {step}));
  };
  CHECK(cut(1, 5, 2).same_bits({1, 3}));
  CHECK(cut(-3, kEnd, 1).same_bits({4, 5, 6}));
  CHECK(cut(kEnd, kBegin, -1).same_bits({6, 5, 4, 3, 2, 1, 0}));
  CHECK(cut(5, 0, -2).same_bits({5, 3, 1}));
  CHECK(cut(5, -1, -1).numel() == 0);
  CHECK(cut(5, kBegin, -5).same_bits({5, 0}));
  CHECK(cut(-100, 100, 3).same_bits({0, 3, 6}));
  CHECK(cut(2, kEnd, kEnd).same_bits({2}));
  CHECK(cut(2, kBegin, kBegin).same_bits({2}));
  CHECK(cut(4, 2, 1).shape() == Shape{0});
  CHECK(value(bd::slice(x, {}, {})).same_bits(value(x)));
}

TEST_CASE("a slice equals the definition for every range, size and dtype") {
  const Shape shape{5, 4, 19};
  struct Range {
    std::int64_t start, stop, step;
    Index picked;
  };
  // What Python's range(start, stop, step) gives after clipping to 5 elements, and to 19.
  const std::vector<Range> rows{{0, kEnd, 1, {0, 1, 2, 3, 4}}, {3, kBegin, -2, {3, 1}}, {4, 1, 1, {}}};
  const std::vector<Range> columns{
      {2, 17, 5, {2, 7, 12}}, {-1, 9, -3, {18, 15, 12}}, {3, 12, 1, {3, 4, 5, 6, 7, 8, 9, 10, 11}}};
  for (const Range& r : rows) {
    for (const Range& c : columns) {
      for (const DType dtype : kAllDtypes) {
        const Tensor x = integers::tensor(shape, 1, dtype);
        bd::Tape tape;
        const Tensor y = value(
            bd::slice(tape.constant(x), {r.start, 1, c.start}, {r.stop, 3, c.stop}, {r.step, 1, c.step}));
        const Shape expected{static_cast<std::int64_t>(r.picked.size()), 2,
                             static_cast<std::int64_t>(c.picked.size())};
        CHECK(y.same_bits(gathered(x, expected, [&](const Index& i) {
          return Index{r.picked[static_cast<std::size_t>(i[0])], i[1] + 1,
                       c.picked[static_cast<std::size_t>(i[2])]};
        })));
      }
    }
  }
}

TEST_CASE("the gradient of a slice lies where the slice came from, zero elsewhere") {
  bd::Tape tape;
  const Var x = tape.variable("x", Tensor({{1, 2, 3}, {4, 5, 6}}));
  const Var y = bd::slice(x, {1, kEnd}, {kEnd, kBegin}, {1, -2});
  CHECK(value(y).same_bits({{6, 4}}));
  CHECK(value(bd::vjp(y, x, tape.constant({{10, 20}}))).same_bits({{0, 0, 0}, {20, 0, 10}}));
}

TEST_CASE("padding by hand") {
  bd::Tape tape;
  const Var x = tape.constant({{1, 2}, {3, 4}});
  CHECK(value(bd::pad(x, {1, 0}, {0, 2})).same_bits({{0, 0, 0, 0}, {1, 2, 0, 0}, {3, 4, 0, 0}}));
  const Var none = tape.constant(Tensor::zeros({0, 2}));
  CHECK(value(bd::pad(none, {3, 0}, {0, 0})).same_bits(Tensor::zeros({3, 2})));
}

TEST_CASE("select picks one position and drops the axis") {
  bd::Tape tape;
  const Var x = tape.constant({{1, 2, 3}, {4, 5, 6}});
  CHECK(value(bd::select(x, 0, 1)).same_bits({4, 5, 6}));
  CHECK(value(bd::select(x, -1, -1)).same_bits({3, 6}));
}

TEST_CASE("concat lays parts side by side along any axis, for every dtype") {
  for (const DType dtype : kAllDtypes) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      bd::Tape tape;
      const std::int64_t sizes[] = {3, 0, 1, 7};
      std::vector<Tensor> tensors;
      std::vector<Var> parts;
      std::vector<std::pair<std::size_t, std::int64_t>> owner;  // of each position: its part and place there
      for (std::size_t k = 0; k < 4; ++k) {
        std::vector<std::int64_t> extents{3, 5, 9};
        extents[axis] = sizes[k];
        tensors.push_back(integers::tensor(Shape(extents), static_cast<unsigned>(k), dtype));
        parts.push_back(tape.constant(tensors.back()));
        for (std::int64_t at = 0; at < sizes[k]; ++at) owner.emplace_back(k, at);
      }
      const Tensor y = value(bd::concat(parts, static_cast<std::int64_t>(axis)));
      REQUIRE(y.shape()[axis] == 11);
      CHECK(y.dtype() == dtype);
      for (std::size_t n = 0; n < y.numel(); ++n) {
        Index i{static_cast<std::int64_t>(n) / y.shape()[2] / y.shape()[1],
                static_cast<std::int64_t>(n) / y.shape()[2] % y.shape()[1],
                static_cast<std::int64_t>(n) % y.shape()[2]};
        const auto [part, at] = owner[static_cast<std::size_t>(i[axis])];
        i[axis] = at;
        REQUIRE(y.at(n) == tensors[part].at(flat(tensors[part].shape(), i)));
      }
    }
  }
}

TEST_CASE("the bits after the last element of a mask stay zero") {
  bd::Tape tape;
  const Var ones = tape.constant(Tensor::ones({3, 3}, DType::mask));
  for (const Var y : {bd::transpose(ones), bd::slice(ones, {1}, {3}), bd::concat({ones, ones}, 0)}) {
    const Tensor bits = value(y);
    CHECK(bits.same_bits(Tensor::ones(bits.shape(), DType::mask)));
  }
}

TEST_CASE("stack and split by hand, one undoing the other") {
  bd::Tape tape;
  const Var a = tape.constant({1, 2}), b = tape.constant({3, 4});
  CHECK(value(bd::stack({a, b})).same_bits({{1, 2}, {3, 4}}));
  CHECK(value(bd::stack({a, b}, -1)).same_bits({{1, 3}, {2, 4}}));
  const std::vector<Var> parts = bd::split(bd::concat({a, b}, 0), {1, 0, 3}, 0);
  REQUIRE(parts.size() == 3);
  CHECK(value(parts[0]).same_bits({1}));
  CHECK(value(parts[1]).numel() == 0);
  CHECK(value(parts[2]).same_bits({2, 3, 4}));
}

TEST_CASE("squeeze, unsqueeze and flatten change shapes alone") {
  bd::Tape tape;
  const Var x = numbers(tape, {1, 2, 1, 3});
  CHECK(bd::squeeze(x).shape() == Shape{2, 3});
  CHECK(bd::squeeze(x, {-2}).shape() == Shape{1, 2, 3});
  CHECK(bd::unsqueeze(x, -1).shape() == Shape{1, 2, 1, 3, 1});
  CHECK(bd::unsqueeze(x, 1).shape() == Shape{1, 1, 2, 1, 3});
  CHECK(bd::flatten(x).shape() == Shape{6});
  CHECK(bd::flatten(x, 1, 2).shape() == Shape{1, 2, 3});
  CHECK(bd::flatten(tape.constant(Tensor::scalar(1))).shape() == Shape{1});
  CHECK(value(bd::flatten(x, 1)).same_bits(counted({1, 6})));
}

TEST_CASE("vjp is the transpose of jvp for everything that moves elements, to second order") {
  const auto check = [](const Shape& shape, Var (*f)(Var)) {
    bd::Tape tape;
    const Var x = tape.variable("x", integers::tensor(shape, 2));
    const Var y = f(x);
    integers::check_transposes(y, {x});
    integers::check_transposes(bd::grad(bd::sum(bd::mul(bd::square(y), y)), x), {x});
  };
  check({3, 4, 5}, [](Var x) { return bd::transpose(x, {2, 0, 1}); });
  check({3, 4, 5}, [](Var x) { return bd::swap_axes(x, 0, 1); });
  check({3, 4, 5}, [](Var x) { return bd::slice(x, {2, 0, 1}, {kBegin, 4, 5}, {-1, 2, 3}); });
  check({3, 4, 5}, [](Var x) { return bd::slice(x, {2}, {1}); });
  check({3, 4}, [](Var x) { return bd::pad(x, {1, 2}, {3, 0}); });
  check({3, 4}, [](Var x) { return bd::select(x, 1, 2); });
  check({3, 4}, [](Var x) { return bd::concat({x, bd::square(x), bd::slice(x, {1}, {2})}, 0); });
  check({3, 4}, [](Var x) { return bd::concat({x, x}, 1); });
  check({3, 4}, [](Var x) { return bd::stack({x, bd::square(x)}, 1); });
  check({3, 4}, [](Var x) { return bd::mul(bd::split(x, {1, 2}, 0)[1], bd::split(x, {2, 1}, 0)[0]); });
  check({1, 4}, [](Var x) { return bd::squeeze(x); });
  check({0, 4}, [](Var x) { return bd::transpose(x); });
}

TEST_CASE("large arrays give the same bits on one thread and two") {
  bd::Tape tape;
  const Var x = tape.constant(integers::tensor({301, 7, 203}, 1));
  for (const Var y : {bd::transpose(x), bd::transpose(x, {1, 0, 2}), bd::slice(x, {300}, {kBegin}, {-1}),
                      bd::pad(x, {1, 1, 1}, {1, 1, 1}), bd::concat({x, x}, 2)}) {
    const Tensor one = value(y, {.feeds = {}, .step = {}, .threads = 1});
    CHECK(one.same_bits(value(y, {.feeds = {}, .step = {}, .threads = 2})));
  }
}

TEST_CASE("what does not fit is refused with a remedy, and the tape stays as it was") {
  bd::Tape tape;
  const Var x = numbers(tape, {2, 3}), y = numbers(tape, {2, 4}), v = numbers(tape, {3});
  const Var whole = tape.constant(Tensor::zeros({2, 3}, DType::i64));
  const Var mask = tape.constant(Tensor::ones({2, 3}, DType::mask));
  const auto refuse = [&]<class E>(const char* text, const std::function<void()>& record) {
    integers::check_refused<E>(tape, text, record);
  };
  using bd::ShapeError, bd::DTypeError, bd::ValueError;
  refuse.operator()<ShapeError>("transpose: axes [0, 0] must name every axis of [2, 3] once", [&] {
    bd::transpose(x, {0, -2});
  });
  refuse.operator()<ShapeError>("transpose: axes [1] must name every axis of [2, 3] once",
                                [&] { bd::transpose(x, {1}); });
  refuse.operator()<ValueError>("slice: a step of 0 leads nowhere; use 1 or -1",
                                [&] { bd::slice(x, {0}, {1}, {0}); });
  refuse.operator()<ShapeError>(
      "slice: 3 starts, 3 stops and 0 steps for the axes of [2, 3]; give one of each for every leading axis",
      [&] {
        bd::slice(x, {0, 0, 0}, {1, 1, 1});
      });
  refuse.operator()<ShapeError>("slice: starts, steps and shape [3, 3] lead out of [2, 3]", [&] {
    const std::int64_t shape[] = {3, 3}, starts[] = {0, 0}, steps[] = {1, 1};
    tape.record(bd::slice_op, {x}, {Ints(shape), Ints(starts), Ints(steps)}, bd::Where::here());
  });
  refuse.operator()<ShapeError>("unslice: starts, steps and shape [2, 3] lead out of [4, 4]", [&] {
    const std::int64_t shape[] = {4, 4}, starts[] = {0, 1}, steps[] = {-1, 1};
    tape.record(bd::unslice_op, {x}, {Ints(shape), Ints(starts), Ints(steps)}, bd::Where::here());
  });
  refuse.operator()<DTypeError>("unslice: input 'x' is a mask; use f32, f64 or i64, or cast it", [&] {
    bd::pad(mask, {1, 1}, {1, 1});
  });
  refuse.operator()<ShapeError>("pad: widths -1 and 0 of axis 0 are negative; use slice()", [&] {
    bd::pad(x, {-1, 0}, {0, 0});
  });
  refuse.operator()<ValueError>("select: index 2 lies outside axis 0 of [2, 3]",
                                [&] { bd::select(x, 0, 2); });
  refuse.operator()<ShapeError>("split: the sizes do not add up to axis 1 of [2, 3]", [&] {
    bd::split(x, {1, 1}, 1);
  });
  refuse.operator()<ShapeError>("concat: [2, 3] and [2, 4] differ outside of axis 0", [&] {
    bd::concat({x, y}, 0);
  });
  refuse.operator()<ShapeError>("concat: [2, 3] and [3] differ outside of axis 0", [&] {
    bd::concat({x, v}, 0);
  });
  refuse.operator()<DTypeError>("concat: f64 and i64 do not mix; cast one of them", [&] {
    bd::concat({x, whole}, 0);
  });
  refuse.operator()<DTypeError>("concat: f64 and i64 do not mix; cast one of them", [&] {
    bd::stack({x, whole});
  });
  refuse.operator()<ShapeError>("concat: takes at least one input", [&] { bd::concat({}, 0); });
  refuse.operator()<ShapeError>("stack: shapes differ: [2, 3] and [2, 4]", [&] { bd::stack({x, y}); });
  refuse.operator()<ShapeError>(
      "squeeze: axis 0 of [2, 3] has more or less than one element; select() picks one",
      [&] { bd::squeeze(x, {0}); });
  refuse.operator()<ShapeError>("flatten: axis 1 of [2, 3] comes after axis 0",
                                [&] { bd::flatten(x, 1, 0); });
}

TEST_CASE("what has too many elements or axes is refused in the name of the op that would make it") {
  bd::Tape tape;
  const std::int64_t many = std::int64_t{1} << 40;
  const Var column = tape.input("column", {many, 1}), row = tape.input("row", {1, many}),
            tall = tape.input("tall", {1 << 30, 1}), long_row = tape.input("long_row", {1, 1 << 20}),
            half = tape.input("half", {std::int64_t{1} << 58}), quarter = tape.input("quarter", {1 << 20}),
            indices = tape.input("indices", {many}, DType::i64),
            deep = tape.input("deep", Shape(std::vector<std::int64_t>(32, 1)));
  const auto refuse = [&](const std::string& text, auto record) {
    integers::check_refused<bd::ShapeError>(tape, text.c_str(), record);
  };
  const std::string elements = ": too many elements in [1099511627776, 1099511627776]";
  refuse("add" + elements, [&] { bd::add(column, row); });
  refuse("one_hot" + elements, [&] { bd::one_hot(indices, many); });
  refuse("index_select: too many elements in [1099511627776, 1048576]",
         [&] { bd::index_select(long_row, indices, 0); });
  refuse("matmul: too many elements in [1073741824, 1073741824]",
         [&] { bd::matmul(tall, tall, {.transpose_b = true}); });
  refuse("pad" + elements, [&] { bd::pad(column, {0, 0}, {0, many - 1}); });
  refuse("concat: too many elements in [576460752304472064]", [&] { bd::concat({half, half, quarter}, 0); });
  refuse("unsqueeze: 33 axes; at most 32", [&] { bd::unsqueeze(deep, 0); });
  refuse("reshape: negative extent in [1, -1]", [&] { bd::reshape(column, {-1, -1}); });
}
