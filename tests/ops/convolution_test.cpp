#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <backdrop/core/error.hpp>
#include <cmath>

#include "integers.hpp"
#include "ops/evaluate.hpp"

namespace bd = backdrop;
using bd::ConvOptions;
using bd::ConvTransposeOptions;
using bd::DType;
using bd::Shape;
using bd::ShapeError;
using bd::Tensor;
using bd::Var;

namespace {

// The definition of a convolution in two dimensions, element by element. One number per axis.
struct Setting {
  std::int64_t stride[2], padding[2], dilation[2], groups;
};

// Calls f(index in x, index in weight, index in y) for every product of the sum.
template <class F>
Shape for_each_product(const Shape& x, const Shape& w, const Setting& s, F f) {
  std::int64_t out[2];
  for (std::size_t k = 0; k < 2; ++k) {
    out[k] = (x[k + 2] + 2 * s.padding[k] - s.dilation[k] * (w[k + 2] - 1) - 1) / s.stride[k] + 1;
  }
  const Shape y{x[0], w[0], out[0], out[1]};
  const auto at = [](const Shape& shape, std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
    return static_cast<std::size_t>(((a * shape[1] + b) * shape[2] + c) * shape[3] + d);
  };
  for (std::int64_t n = 0; n < x[0]; ++n) {
    for (std::int64_t o = 0; o < w[0]; ++o) {
      for (std::int64_t c = 0; c < w[1]; ++c) {
        const std::int64_t channel = o / (w[0] / s.groups) * w[1] + c;
        for (std::int64_t i = 0; i < out[0] * out[1]; ++i) {
          for (std::int64_t k = 0; k < w[2] * w[3]; ++k) {
            const std::int64_t row = i / out[1] * s.stride[0] - s.padding[0] + k / w[3] * s.dilation[0];
            const std::int64_t column = i % out[1] * s.stride[1] - s.padding[1] + k % w[3] * s.dilation[1];
            if (row < 0 || row >= x[2] || column < 0 || column >= x[3]) continue;
            f(at(x, n, channel, row, column), at(w, o, c, k / w[3], k % w[3]),
              at(y, n, o, i / out[1], i % out[1]));
          }
        }
      }
    }
  }
  return y;
}

ConvOptions options(const Setting& s) {
  return {.stride = {s.stride[0], s.stride[1]},
          .padding = {s.padding[0], s.padding[1]},
          .dilation = {s.dilation[0], s.dilation[1]},
          .groups = s.groups};
}

// x of 6 channels in 7 x 8, and 4 outputs of a 3 x 2 kernel.
constexpr Setting kSettings[] = {{{1, 1}, {0, 0}, {1, 1}, 1}, {{2, 3}, {1, 0}, {1, 1}, 1},
                                 {{1, 2}, {3, 2}, {2, 1}, 2}, {{3, 1}, {2, 5}, {3, 4}, 1},
                                 {{1, 1}, {1, 1}, {1, 1}, 2}, {{9, 9}, {0, 0}, {1, 1}, 1}};

const Tensor& grid() {
  static const Tensor kGrid(
      {{{{7, 14, 2, 9}, {16, 4, 11, 18}, {6, 13, 1, 8}, {15, 3, 10, 17}, {5, 12, 0, 7}}}}, DType::f64);
  return kGrid;
}
const Tensor& corner() {
  static const Tensor kCorner({{{{7, 14, 2}, {16, 4, 11}}}}, DType::f64);
  return kCorner;
}

// f(x) is this, as PyTorch computes it.
template <class F>
void check_gives(F f, const Tensor& x, const Shape& shape, const std::vector<double>& expected) {
  bd::Tape tape;
  const Tensor y = value(f(tape.constant(x)));
  REQUIRE(y.shape() == shape);
  for (std::size_t k = 0; k < expected.size(); ++k) {
    CHECK_MESSAGE(std::abs(y.at(k) - expected[k]) < 1e-11, "element " << k << " of " << to_string(y));
  }
}

}  // namespace

TEST_CASE("a convolution gives the definition's sums for every stride, padding, dilation and groups") {
  for (const Setting& s : kSettings) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Tensor x = integers::tensor({2, 6, 7, 8}, 1), w = integers::tensor({4, 6 / s.groups, 3, 2}, 2);
      bd::Tape tape;
      const Var y = conv2d(tape.constant(x.to(dtype)), tape.constant(w.to(dtype)), {}, options(s));
      Tensor expected = Tensor::zeros(y.shape(), DType::f64);
      const Shape shape =
          for_each_product(x.shape(), w.shape(), s, [&](std::size_t i, std::size_t k, std::size_t o) {
            expected.mutable_data<double>()[o] += x.at(i) * w.at(k);
          });
      REQUIRE(y.shape() == shape);
      CHECK(value(y).same_bits(expected.to(dtype)));
    }
  }
}

TEST_CASE("both derivatives of a convolution are the definition's transposes") {
  for (const Setting& s : kSettings) {
    const Tensor at_x = integers::tensor({2, 6, 7, 8}, 1),
                 at_w = integers::tensor({4, 6 / s.groups, 3, 2}, 2);
    bd::Tape tape;
    const Var x = tape.variable("x", at_x), w = tape.variable("w", at_w);
    const Var y = conv2d(x, w, {}, options(s));
    const Tensor g = integers::tensor(y.shape(), 3);
    Tensor gx = Tensor::zeros(at_x.shape(), DType::f64), gw = Tensor::zeros(at_w.shape(), DType::f64);
    for_each_product(at_x.shape(), at_w.shape(), s, [&](std::size_t i, std::size_t k, std::size_t o) {
      gx.mutable_data<double>()[i] += g.at(o) * at_w.at(k);
      gw.mutable_data<double>()[k] += g.at(o) * at_x.at(i);
    });
    const Var cotangent = tape.constant(g);
    CHECK(value(bd::vjp(y, x, cotangent)).same_bits(gx));
    CHECK(value(bd::vjp(y, w, cotangent)).same_bits(gw));
    integers::check_transposes(y, {x, w});
    for (const Var gradient : bd::grad(bd::sum(bd::square(y)), {x, w})) {
      integers::check_transposes(gradient, {x, w});
    }
  }
}

TEST_CASE("a transposed convolution is the derivative of a convolution in its input") {
  for (const Setting& s : kSettings) {
    const Shape whole{2, 6, 7, 8};
    bd::Tape tape;
    const Var x = tape.variable("x", Tensor::zeros(whole, DType::f64));
    const Var w = tape.constant(integers::tensor({4, 6 / s.groups, 3, 2}, 2));
    const Var y = conv2d(x, w, {}, options(s));
    const Var g = tape.constant(integers::tensor(y.shape(), 3));
    ConvTransposeOptions transposed{.stride = {s.stride[0], s.stride[1]},
                                    .padding = {s.padding[0], s.padding[1]},
                                    .output_padding = {},
                                    .groups = s.groups,
                                    .dilation = {s.dilation[0], s.dilation[1]}};
    for (std::size_t k = 0; k < 2; ++k) {  // what the last window leaves over
      const std::int64_t span = s.dilation[k] * (w.shape()[2 + k] - 1) + 1;
      transposed.output_padding.push_back((whole[2 + k] + 2 * s.padding[k] - span) % s.stride[k]);
    }
    CHECK(value(conv_transpose2d(g, w, {}, transposed)).same_bits(value(bd::vjp(y, x, g))));
  }
}

TEST_CASE("a transposed convolution by PyTorch, with its output padding") {
  const auto f = [](Var x) {
    const Var w = x.tape().constant(Tensor({{{{1, 2}, {0, -1}}, {{3, 0}, {1, 1}}}}, DType::f64));
    return conv_transpose2d(x, w, {}, {.stride = {2}, .padding = {1}, .output_padding = {1}});
  };
  check_gives(f, Tensor({{{{7, 14}, {16, 4}}}}, DType::f64), {1, 2, 3, 3},
              {-7, 0, -14, 32, 4, 8, -16, 0, -4, 7, 14, 14, 0, 12, 0, 16, 4, 4});
}

TEST_CASE("convolutions in one and three dimensions, with a bias, and of a single sample") {
  bd::Tape tape;
  const Var line = tape.constant({{{1, 2, 3, 4}}});
  const Var w = tape.constant({{{1, -1}}, {{2, 1}}}), bias = tape.constant({10, 20});
  CHECK(value(conv1d(line, w, bias)).same_bits({{{9, 9, 9}, {24, 27, 30}}}));
  CHECK(value(conv1d(bd::reshape(line, {1, 4}), w, bias)).same_bits({{9, 9, 9}, {24, 27, 30}}));
  CHECK(value(conv1d(line, w, {}, {.padding = {2, 0}})).shape() == Shape{1, 2, 5});
  const Var cube = tape.constant(Tensor::zeros({1, 1, 2, 2, 2}));
  const Var sums = conv3d(cube + 1.0, bd::full_like(cube, 2), tape.constant({1}));
  CHECK(value(sums).same_bits({{{{{17}}}}}));
  const Var grown = conv_transpose3d(cube + 1.0, bd::full_like(cube, 2));
  CHECK(grown.shape() == Shape{1, 1, 3, 3, 3});
  CHECK(value(bd::max(grown)).item() == 16);
  CHECK(value(bd::sum(grown)).item() == 128);
  const Var back = conv_transpose1d(line, tape.constant({{{1, 10}}}), tape.constant({100}));
  CHECK(value(back).same_bits({{{101, 112, 123, 134, 140}}}));
}

TEST_CASE("a kernel of one element copies no windows") {
  bd::Tape tape;
  const Var x = tape.constant(integers::tensor({2, 3, 2, 2}, 1)),
            w = tape.constant(integers::tensor({4, 3, 1, 1}, 2));
  const bd::Rewrite opened = bd::expand(conv2d(x, w).tape());
  for (std::size_t k = 0; k < opened.tape().size(); ++k) CHECK(opened.tape().node(k).op != &bd::windows_op);
  const Var flat = bd::reshape(x, {2, 3, 4}), weights = bd::reshape(w, {4, 3});
  CHECK(value(bd::reshape(conv2d(x, w), {2, 4, 4})).same_bits(value(bd::matmul(weights, flat))));
}

TEST_CASE("convolutions give the same bits on one thread and two") {
  bd::Tape tape;
  const bd::Key key{7, 0};
  const Var x = tape.variable("x", bd::uniform({3, 8, 20, 21}, -1, 1, key));
  const Var w = tape.variable("w", bd::uniform({8, 4, 3, 3}, -1, 1, key));
  const Var y = bd::sum(bd::square(conv2d(x, w, {}, {.padding = {1}, .groups = 2})));
  for (const Var v : bd::grad(y, {x, w})) {
    const Tensor one = value(v, {.feeds = {}, .step = {}, .threads = 1});
    CHECK(one.same_bits(value(v, {.feeds = {}, .step = {}, .threads = 2})));
  }
}

TEST_CASE("max_pool by PyTorch: padding never wins, ceil_mode and dilation") {
  const auto ceiled = [](Var x) {
    return max_pool2d(x, {2, 3}, {.stride = {2}, .padding = {1}, .ceil_mode = true});
  };
  check_gives(ceiled, grid(), {1, 1, 3, 3}, {14, 14, 9, 16, 18, 18, 15, 17, 17});
  const auto dilated = [](Var x) { return max_pool2d(x, {2}, {.stride = {1}, .dilation = {2, 1}}); };
  check_gives(dilated, grid(), {1, 1, 3, 3}, {14, 14, 9, 16, 11, 18, 13, 13, 8});
  const auto negative = [](Var x) { return max_pool2d(bd::neg(x), {2}, {.padding = {1}}); };
  check_gives(negative, corner(), {1, 1, 2, 2}, {-7, -2, -16, -4});
}

TEST_CASE("convolutions that no BLAS can count are refused") {
  bd::Tape tape;
  const std::int64_t many = std::int64_t{1} << 31;
  const Var x = tape.input("x", {1, 1, many}), w = tape.input("w", {1, 1, 1});
  CHECK_THROWS_WITH_AS(
      conv1d(x, w),
      "convolution: [1, 1, 2147483648] and [1, 1, 1] make a matrix with an extent above 2^31 - 1",
      bd::ShapeError);
  CHECK_THROWS_AS(conv1d(tape.input("a", {0, many, 1}), tape.input("b", {1, many, 1})), bd::ShapeError);
  CHECK(conv1d(tape.input("c", {1, 1, many}), w, {}, {.stride = {2}}).shape()[2] == many / 2);
}

TEST_CASE("in ceil_mode the only window may reach beyond the end, by PyTorch") {
  const Tensor x({{3, 5}}, DType::f64);
  check_gives([](Var v) { return max_pool1d(v, {3}, {.stride = {2}, .ceil_mode = true}); }, x, {1, 1}, {5});
  const auto mean_of = [](bool count_include_pad) {
    return [=](Var v) {
      return avg_pool1d(
          v, {5}, {.stride = {3}, .padding = {1}, .ceil_mode = true, .count_include_pad = count_include_pad});
    };
  };
  check_gives(mean_of(false), x, {1, 1}, {4});
  check_gives(mean_of(true), x, {1, 1}, {2});
  bd::Tape tape;
  const Var v = tape.constant(x);
  CHECK_THROWS_AS(max_pool1d(v, {3}, {.stride = {2}}), bd::ShapeError);
  CHECK_THROWS_AS(max_pool1d(v, {4}, {.stride = {2}, .ceil_mode = true}), bd::ShapeError);
  const Var none = tape.constant(Tensor::zeros({1, 0}));
  CHECK_THROWS_AS(max_pool1d(none, {1}, {.stride = {2}, .ceil_mode = true}), bd::ShapeError);
}

TEST_CASE("pools over three axes take the greatest and the mean of a box") {
  bd::Tape tape;
  const Var x = bd::reshape(bd::arange(tape, 24, 0, 1, DType::f64), {1, 2, 2, 3, 2});
  CHECK(value(max_pool3d(x, {2}, {.stride = {1}}))
            .same_bits(Tensor({{{{{9}, {11}}}, {{{21}, {23}}}}}, DType::f64)));
  CHECK(value(avg_pool3d(x, {2, 3, 1})).same_bits(Tensor({{{{{5, 6}}}, {{{17, 18}}}}}, DType::f64)));
}

TEST_CASE("of equal elements of a window the first receives the derivative; NaN wins") {
  bd::Tape tape;
  const Var x = tape.variable("x", Tensor({{1, 1, 0, 2, 2, 2}}));
  CHECK(value(bd::grad(bd::sum(max_pool1d(x, {3})), x)).same_bits({{1, 0, 0, 1, 0, 0}}));
  const Var n = tape.variable("n", Tensor({{1, bd::kNaN, 3, -bd::kInf, 5, bd::kInf}}));
  CHECK(value(max_pool1d(n, {3})).same_bits({{bd::kNaN, bd::kInf}}));
}

TEST_CASE("avg_pool by PyTorch: what counts as an element") {
  const auto pooled = [](bool count_include_pad) {
    return [=](Var x) {
      return avg_pool2d(
          x, {2, 3},
          {.stride = {2}, .padding = {1}, .ceil_mode = true, .count_include_pad = count_include_pad});
    };
  };
  check_gives(pooled(true), grid(), {1, 1, 3, 3},
              {3.5, 25.0 / 6, 2.25, 6.5, 55.0 / 6, 6.5, 35.0 / 6, 49.0 / 6, 6});
  check_gives(pooled(false), grid(), {1, 1, 3, 3},
              {10.5, 25.0 / 3, 9, 9.75, 55.0 / 6, 13, 8.75, 49.0 / 6, 12});
  const auto line = [](Var x) { return avg_pool1d(x, {3}, {.stride = {2}, .ceil_mode = true}); };
  check_gives(line, Tensor({{7, 14, 2, 9}}, DType::f64), {1, 2}, {23.0 / 3, 5.5});
}

TEST_CASE("adaptive_avg_pool2d by PyTorch: stretches that overlap, and the mean of all") {
  check_gives([](Var x) { return adaptive_avg_pool2d(x, {3}); }, grid(), {1, 1, 3, 3},
              {10.25, 7.75, 10, 9.5, 7, 65.0 / 6, 8.75, 6.25, 8.5});
  check_gives([](Var x) { return adaptive_avg_pool2d(x, {1}); }, grid(), {1, 1, 1, 1}, {178.0 / 20});
  check_gives(
      [](Var x) {
        return adaptive_avg_pool2d(x, {5, 2});
      },
      grid(), {1, 1, 5, 2}, {10.5, 5.5, 10, 14.5, 9.5, 4.5, 9, 13.5, 8.5, 3.5});
}

TEST_CASE("unfold by PyTorch, and fold is its transpose") {
  const auto columns = [](Var x) { return unfold(x, {2}, {.stride = {1, 2}, .padding = {0, 1}}); };
  bd::Tape tape;
  const Var x = tape.variable("x", Tensor({{{{7, 14, 2}, {16, 4, 11}, {6, 13, 1}}}}, DType::f64));
  const Var y = columns(x);
  CHECK(value(y).same_bits(
      Tensor({{{0, 14, 0, 4}, {7, 2, 16, 11}, {0, 4, 0, 13}, {16, 11, 6, 1}}}, DType::f64)));
  const Var g = tape.constant(integers::tensor(y.shape(), 3));
  const Var back = fold(g, {3}, {2}, {.stride = {1, 2}, .padding = {0, 1}});
  CHECK(value(back).same_bits(value(bd::vjp(y, x, g))));
}

TEST_CASE("upsampling by PyTorch: which neighbours, and how much of each") {
  check_gives(
      [](Var x) {
        return upsample_nearest(x, {3, 5});
      },
      corner(), {1, 1, 3, 5}, {7, 7, 14, 14, 2, 7, 7, 14, 14, 2, 16, 16, 4, 4, 11});
  check_gives([](Var x) { return upsample_nearest(x, {2, 3}); }, grid(), {1, 1, 2, 3}, {7, 14, 2, 6, 13, 1});
  check_gives(
      [](Var x) {
        return upsample_bilinear(x, {3, 5});
      },
      corner(), {1, 1, 3, 5}, {7, 9.8, 14, 6.8, 2, 11.5, 10.5, 9, 7.5, 6.5, 16, 11.2, 4, 8.2, 11});
  check_gives(
      [](Var x) {
        return upsample_bilinear(x, {3, 5}, true);
      },
      corner(), {1, 1, 3, 5}, {7, 10.5, 14, 8, 2, 11.5, 10.25, 9, 7.75, 6.5, 16, 10, 4, 7.5, 11});
  check_gives(
      [](Var x) {
        return upsample_bilinear(x, {2, 3});
      },
      grid(), {1, 1, 2, 3}, {301.0 / 24, 7.625, 175.0 / 12, 271.0 / 24, 6.375, 40.0 / 3});
}

TEST_CASE("nearest neighbours are exact for every pair of extents") {
  for (std::int64_t from = 1; from <= 40; ++from) {
    for (std::int64_t to = 1; to <= 60; ++to) {
      bd::Tape tape;
      const Var x = bd::reshape(bd::arange(tape, from, 0, 1, DType::f64), {1, 1, from});
      const Tensor y = value(upsample_nearest(x, {to}));
      bool exact = true;
      for (std::int64_t i = 0; i < to; ++i) {
        exact = exact && y.at(static_cast<std::size_t>(i)) == static_cast<double>(i * from / to);
      }
      CHECK_MESSAGE(exact, from << " to " << to);
    }
  }
}

TEST_CASE("what does not fit is refused, and the tape stays as it was") {
  bd::Tape tape;
  const auto leaf = [&](const Shape& shape) { return tape.constant(Tensor::zeros(shape)); };
  const Var x = leaf({2, 4, 5, 6}), w = leaf({3, 4, 3, 3});
  const auto refuse = [&](const char* text, auto record) {
    integers::check_refused<ShapeError>(tape, text, [&] { static_cast<void>(record()); });
  };
  refuse("conv2d: takes [N, C, 2 axes] or the same without N, not [3, 3]",
         [&, y = leaf({3, 3})] { return conv2d(y, w); });
  refuse("convolution: a weight [3, 4, 3, 3] in 2 groups does not fit the channels of [2, 4, 5, 6]",
         [&] { return conv2d(x, w, {}, {.groups = 2}); });
  refuse("convolution: the kernel reaches over 7 positions, more than the 5 of the padded input",
         [&] { return conv2d(x, w, {}, {.dilation = {3}}); });
  refuse("conv2d: a bias [4] for 3 channels", [&, b = leaf({4})] { return conv2d(x, w, b); });
  refuse("conv2d: 'stride' has 3 numbers; give one, or one for each of the 2 axes", [&] {
    return conv2d(x, w, {}, {.stride = {1, 2, 3}});
  });
  refuse("convolution: 'stride' takes 2 numbers from 1 to 2^30",
         [&] { return conv2d(x, w, {}, {.stride = {0}}); });
  refuse("max_pool: a padding of 2 is more than half of the kernel 3",
         [&] { return max_pool2d(x, {3}, {.padding = {2}}); });
  refuse("transposed_convolution: an output_padding of 2 is not less than the stride or the dilation",
         [&, v = leaf({4, 1, 2, 2})] {
           return conv_transpose2d(x, v, {}, {.stride = {2}, .output_padding = {2}});
         });
  refuse("fold: takes [N, C * 4, 9] for this kernel and size, not [1, 4, 8]",
         [&, y = leaf({1, 4, 8})] { return fold(y, {4}, {2}); });
}
