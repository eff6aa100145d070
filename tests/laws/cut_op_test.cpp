#include <doctest/doctest.h>

#include <algorithm>
#include <backdrop/backdrop.hpp>
#include <string>
#include <vector>

#include "laws/custom_op.hpp"

// Ops of a user's program whose kernels are given parts: of the threads' choice, of elements, of rows.
using namespace backdrop;
using namespace custom;

namespace {

// The sum of x, added up in as many parts as there are threads.
constinit const Op cut_by_threads{
    .name = "cut_by_threads",
    .inputs = {"x"},
    .infer =
        [](const Call& c) {
          return Type{like_x(c).dtype, c.tape.intern({})};
        },
    .eval =
        [](const Eval& e) {
          const std::size_t n = e.x[0].numel(), parts = static_cast<std::size_t>(e.workers.threads());
          const auto each = [&]<class T>(T total) {
            for (std::size_t p = 0; p < parts; ++p) {
              T part = 0;
              for (std::size_t k = n * p / parts; k < n * (p + 1) / parts; ++k)
                part += e.x[0].as<const T>()[k];
              total += part;
            }
            *e.y.as<T>() = total;
          };
          e.y.dtype == DType::f32 ? each(float{}) : each(double{});
        },
    .vjp = {[](const Call& c, Var g) { return broadcast_to(g, c.shape(0)); }},
    .jvp = rule::linear,
};
std::vector<OpSample> sums() {
  return {
      [](SampleMaker& m) { return record(cut_by_threads, m.real({3})); },
      [](SampleMaker& m) { return record(cut_by_threads, m.real({0})); },
      {{.large = true, .rounding = 1e4},
       [](SampleMaker& m) { return record(cut_by_threads, scale(m.real({70'000}), 1. / 3)); }},
  };
}

// x, but 1 more where a kernel call begins.
constinit const Op cut_by_blocks{
    .name = "cut_by_blocks",
    .inputs = {"x"},
    .structure = Structure::diagonal,
    .infer = like_x,
    .block =
        [](const Block& b) {
          const auto each = [&]<class T>(T) {
            for (std::size_t k = 0; k < b.count; ++k) {
              static_cast<T*>(b.y)[k] = static_cast<const T*>(b.x[0])[k] + static_cast<T>(k == 0);
            }
          };
          b.dtype() == DType::f32 ? each(float{}) : each(double{});
        },
    .vjp = {[](const Call&, Var g) { return g; }},
    .jvp = rule::linear,
};

// y = sum of x over the first axis, a row after the other; with kLost, less where a panel begins; kPiece rows
// through one state, or all.
template <int kLost, std::size_t kPiece>
struct RowByRow {
  static std::size_t width(const Call& c) { return c.y.shape().numel(); }
  static void begin(const Call& c, void* state) { std::fill_n(static_cast<double*>(state), width(c), 0.0); }
  static void take(const Call& c, const Array& x, void* state) {
    auto* const sum = static_cast<double*>(state);
    const auto each = [&](const auto* from) {
      for (std::size_t k = 0; k < x.numel(); ++k) sum[k % width(c)] += static_cast<double>(from[k]);
    };
    x.dtype == DType::f32 ? each(x.as<const float>()) : each(x.as<const double>());
    if (width(c) > 0) sum[0] -= kLost;
  }
  static void finish(const Call& c, const Array& y, void* states, std::size_t) {
    const auto each = [&]<class T>(T* to) {
      for (std::size_t k = 0; k < width(c); ++k) to[k] = static_cast<T>(static_cast<double*>(states)[k]);
    };
    y.dtype == DType::f32 ? each(y.as<float>()) : each(y.as<double>());
  }
  static void whole(const Eval& e) {
    std::vector<double> state(width(e.call));
    begin(e.call, state.data());
    take(e.call, e.x[0], state.data());
    finish(e.call, e.y, state.data(), 1);
  }
  static constexpr Folding kFolding{
      .axes = [](const Call&) { return std::size_t{1}; },
      .fewest = [](const Call&) { return std::size_t{2}; },
      .piece = [](const Call& c) { return kPiece > 0 ? kPiece : static_cast<std::size_t>(c.shape(0)[0]); },
      .state_bytes = [](const Call& c) { return width(c) * sizeof(double); },
      .begin = begin,
      .take = take,
      .finish = finish,
  };
};

template <int kLost = 0, std::size_t kPiece = 0>
constinit const Op column_sum{
    .name = kPiece > 0  ? "column_sum_in_pieces"
            : kLost > 0 ? "lossy_column_sum"
                        : "column_sum",
    .inputs = {"x"},
    .folding = &RowByRow<kLost, kPiece>::kFolding,
    .infer = [](const Call& c) -> Type {
      const Type x = like_x(c);
      if (c.shape(0).rank() != 2) throw ShapeError(std::string(c.name()) + ": takes a matrix");
      return {x.dtype, c.tape.intern(Shape{c.shape(0)[1]})};
    },
    .eval = RowByRow<kLost, kPiece>::whole,
    .vjp = {[](const Call& c, Var g) { return broadcast_to(g, c.shape(0)); }},
    .jvp = rule::linear,
};
template <const Op& kSum>
std::vector<OpSample> column_sums() {
  return {
      [](SampleMaker& m) {
        return record(kSum, m.real({7, 3}));
      },
      [](SampleMaker& m) {
        return record(kSum, m.real({0, 2}));
      },
  };
}

// x [n] again and again, as the rows of y [4, n].
template <bool kFromTheFirst>
constinit const Op four_times{
    .name = kFromTheFirst ? "always_the_first" : "four_times",
    .inputs = {"x"},
    .structure = Structure::selection,
    .repeats = [](const Call&) { return std::size_t{1}; },
    .infer = [](const Call& c) -> Type {
      const Type x = like_x(c);
      if (c.shape(0).rank() != 1) throw ShapeError(std::string(c.name()) + ": takes a vector");
      return {x.dtype, c.tape.intern(Shape{4, c.shape(0)[0]})};
    },
    .eval =
        [](const Eval& e) {
          const std::size_t n = e.x[0].numel(), first = kFromTheFirst ? 0 : e.first;
          const auto each = [&]<class T>(T) {
            for (std::size_t k = 0; k < e.y.numel(); ++k) e.y.as<T>()[k] = e.x[0].as<T>()[(first + k) % n];
          };
          e.y.dtype == DType::f32 ? each(float{}) : each(double{});
        },
    .vjp = {[](const Call&, Var g) { return sum(g, {0}); }},
    .jvp = rule::linear,
};

}  // namespace

TEST_CASE("ops of a user's program may be cut anywhere, folded by panels, and repeated") {
  CHECK(check_op(column_sum<>, column_sums<column_sum<>>()));
  CHECK(check_op(four_times<false>, of_vectors<four_times<false>>()));
}

TEST_CASE("an op of a user's program that depends on how it is cut fails the law that says so") {
  const std::vector<Wrong> wrong_ops{
      {cut_by_threads, sums(), OpLaw::schedule, "with 2 threads is"},
      {cut_by_blocks, of_vectors<cut_by_blocks>(), OpLaw::panels, "by 1 position(s) of 1 leading axes"},
      {column_sum<1>, column_sums<column_sum<1>>(), OpLaw::panels, "folded from 2 positions at a time it is"},
      {column_sum<0, 3>, column_sums<column_sum<0, 3>>(), OpLaw::panels, "a piece has 3 of 7 positions"},
      {four_times<true>, of_vectors<four_times<true>>(), OpLaw::panels, "1 element(s) at a time, from whole"},
  };
  for (const Wrong& wrong : wrong_ops) check_breaks(wrong);
}
