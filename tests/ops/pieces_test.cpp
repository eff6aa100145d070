#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>

#include "ops/evaluate.hpp"

using namespace backdrop;

TEST_CASE("equal parts, of which the last may be smaller") {
  Tape tape;
  const Var x = tape.constant(Tensor({1, 2, 3, 4, 5}, DType::f64));
  const auto lengths = [](const std::vector<Var>& parts) {
    std::vector<std::int64_t> out;
    for (const Var& part : parts) out.push_back(part.shape()[0]);
    return out;
  };
  CHECK(lengths(split_every(x, 2, 0)) == std::vector<std::int64_t>{2, 2, 1});
  CHECK(lengths(chunk(x, 2, 0)) == std::vector<std::int64_t>{3, 2});
  CHECK(lengths(chunk(x, 4, 0)) == std::vector<std::int64_t>{2, 2, 1});
  CHECK(numbers(value(chunk(x, 2, 0)[1])) == std::vector<double>{4, 5});
  CHECK_THROWS_AS(split_every(x, 0, 0), ShapeError);
  CHECK_THROWS_AS(chunk(x, 0, 0), ShapeError);
}

TEST_CASE("triangles by hand, above and below any diagonal") {
  const Tensor x({{1, 2, 3}, {4, 5, 6}}, DType::f64);
  CHECK(results([](Var v) { return tril(v); }, x) == std::vector<double>{1, 0, 0, 4, 5, 0});
  CHECK(results([](Var v) { return tril(v, 1); }, x) == std::vector<double>{1, 2, 0, 4, 5, 6});
  CHECK(results([](Var v) { return triu(v); }, x) == std::vector<double>{1, 2, 3, 0, 5, 6});
  CHECK(results([](Var v) { return triu(v, -1); }, x) == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(results([](Var v) { return triu(v, 9); }, x) == std::vector<double>{0, 0, 0, 0, 0, 0});
}

TEST_CASE("the row for padding is looked up like any other, and receives no gradient") {
  Tape tape;
  const Var table = tape.variable("table", Tensor({{1, 2}, {3, 4}, {5, 6}}, DType::f64));
  const Var indices = tape.constant(Tensor({{0, 2}, {2, 0}}, DType::i64));
  const Var rows = embedding(table, indices, -1);
  CHECK(numbers(value(rows)) == std::vector<double>{1, 2, 5, 6, 5, 6, 1, 2});
  CHECK(numbers(value(grad(sum(rows), table))) == std::vector<double>{2, 2, 0, 0, 0, 0});
  CHECK(numbers(value(grad(sum(embedding(table, indices)), table))) == std::vector<double>{2, 2, 0, 0, 2, 2});
  CHECK_THROWS_AS(embedding(table, indices, 3), ValueError);
}

TEST_CASE("a standard deviation is the root of the variance, with derivative zero where it is zero") {
  const Tensor x({{1, 2, 3, 4}, {5, 5, 5, 5}}, DType::f64);
  const auto f = [](Var v) { return stddev(v, {1}, 1); };
  CHECK(results(f, x)[0] == doctest::Approx(std::sqrt(5.0 / 3)).epsilon(1e-15));
  CHECK(results(f, x)[1] == 0);
  const auto g = results([&](Var v) { return grad(sum(f(v)), v); }, x);
  CHECK(g[0] == doctest::Approx(-1.5 / (3 * std::sqrt(5.0 / 3))));
  CHECK(std::vector<double>(g.begin() + 4, g.end()) == std::vector<double>{0, 0, 0, 0});
  const auto h = results([&](Var v) { return grad(sum(square(grad(sum(f(v)), v))), v); }, x);
  CHECK(std::vector<double>(h.begin() + 4, h.end()) == std::vector<double>{0, 0, 0, 0});
}

TEST_CASE("turned and moved along axes by hand") {
  const Tensor x({{1, 2, 3}, {4, 5, 6}}, DType::f64);
  CHECK(results([](Var v) { return flip(v); }, x) == std::vector<double>{6, 5, 4, 3, 2, 1});
  CHECK(results([](Var v) { return flip(v, {-1}); }, x) == std::vector<double>{3, 2, 1, 6, 5, 4});
  CHECK(results([](Var v) { return roll(v, {1}, {1}); }, x) == std::vector<double>{3, 1, 2, 6, 4, 5});
  CHECK(results([](Var v) { return roll(v, {-1, 3}, {1, 0}); }, x) == std::vector<double>{5, 6, 4, 2, 3, 1});
  CHECK(results([](Var v) { return unbind(v, 1).at(2); }, x) == std::vector<double>{3, 6});
}

TEST_CASE("repeated as NumPy and PyTorch repeat") {
  const Tensor x({{1, 2}, {3, 4}}, DType::f64);
  CHECK(results([](Var v) { return tile(v, {2}); }, x) == std::vector<double>{1, 2, 1, 2, 3, 4, 3, 4});
  CHECK(results([](Var v) { return tile(v, {2, 1}); }, x) == std::vector<double>{1, 2, 3, 4, 1, 2, 3, 4});
  CHECK(results(
            [](Var v) {
              return repeat(v, {2, 1, 1});
            },
            x) == std::vector<double>{1, 2, 3, 4, 1, 2, 3, 4});
  CHECK(results([](Var v) { return repeat_interleave(v, 2, 1); }, x) ==
        std::vector<double>{1, 1, 2, 2, 3, 3, 4, 4});
  CHECK(results([](Var v) { return repeat_interleave(v, 2, 0); }, x) ==
        std::vector<double>{1, 2, 1, 2, 3, 4, 3, 4});
  CHECK(results([](Var v) { return grad(sum(tile(v, {3, 2})), v); }, x) == std::vector<double>{6, 6, 6, 6});
  Tape tape;
  CHECK_THROWS_AS(repeat(tape.constant(x), {2}), ShapeError);
  CHECK_THROWS_AS(tile(tape.constant(x), {-1}), ShapeError);
}

TEST_CASE("diagonals of any two axes") {
  const Tensor x({{1, 2, 3}, {4, 5, 6}}, DType::f64);
  CHECK(results([](Var v) { return diagonal(v); }, x) == std::vector<double>{1, 5});
  CHECK(results([](Var v) { return diagonal(v, 1); }, x) == std::vector<double>{2, 6});
  CHECK(results([](Var v) { return diagonal(v, 2); }, x) == std::vector<double>{3});
  CHECK(results([](Var v) { return diagonal(v, -1); }, x) == std::vector<double>{4});
  CHECK(results([](Var v) { return diagonal(v, 3); }, x).empty());
  CHECK(results([](Var v) { return diagonal(v, -9); }, x).empty());
  CHECK(results([](Var v) { return diagonal(v, 1, 1, 0); }, x) == std::vector<double>{4});
  const Tensor y = Tensor::from(std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7}, {2, 2, 2});
  CHECK(results([](Var v) { return diagonal(v, 0, 0, 2); }, y) == std::vector<double>{0, 5, 2, 7});
  Tape tape;
  CHECK_THROWS_AS(diagonal(tape.constant(x), 0, 1, -1), ShapeError);
}

TEST_CASE("borders of every kind, with the corners that follow") {
  const Tensor x({1, 2, 3}, DType::f64);
  const auto padded = [&](PadMode mode) {
    return results([&](Var v) { return pad(v, {2}, {2}, mode, 9); }, x);
  };
  CHECK(padded(PadMode::constant) == std::vector<double>{9, 9, 1, 2, 3, 9, 9});
  CHECK(padded(PadMode::reflect) == std::vector<double>{3, 2, 1, 2, 3, 2, 1});
  CHECK(padded(PadMode::replicate) == std::vector<double>{1, 1, 1, 2, 3, 3, 3});
  CHECK(padded(PadMode::circular) == std::vector<double>{2, 3, 1, 2, 3, 1, 2});
  const Tensor y({{1, 2}, {3, 4}}, DType::f64);
  CHECK(results(
            [](Var v) {
              return pad(v, {1, 0}, {0, 1}, PadMode::reflect);
            },
            y) == std::vector<double>{3, 4, 3, 1, 2, 1, 3, 4, 3});
  CHECK(results(
            [](Var v) {
              return grad(sum(pad(v, {1, 0}, {0, 1}, PadMode::replicate)), v);
            },
            y) == std::vector<double>{2, 4, 1, 2});
  Tape tape;
  const Var v = tape.constant(x);
  const std::size_t before = tape.size();
  CHECK_THROWS_AS(pad(v, {3}, {0}, PadMode::reflect), ShapeError);
  CHECK_THROWS_AS(pad(v, {0}, {4}, PadMode::circular), ShapeError);
  CHECK_THROWS_AS(pad(v, {-1}, {0}, PadMode::replicate), ShapeError);
  CHECK_THROWS_AS(pad(v, {1, 1}, {0}, PadMode::replicate), ShapeError);
  CHECK(tape.size() == before);
}

TEST_CASE("channels become pixels, and back") {
  const Tensor x = Tensor::from(std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7}, {4, 1, 2});
  CHECK(results([](Var v) { return pixel_shuffle(v, 2); }, x) == std::vector<double>{0, 2, 1, 3, 4, 6, 5, 7});
  CHECK(results([](Var v) { return pixel_unshuffle(pixel_shuffle(v, 2), 2); }, x) == numbers(x));
  Tape tape;
  CHECK(pixel_shuffle(tape.constant(x), 2).shape() == Shape{1, 2, 4});
  CHECK_THROWS_AS(pixel_shuffle(tape.constant(x), 3), ShapeError);
  CHECK_THROWS_AS(pixel_unshuffle(tape.constant(x), 2), ShapeError);
}

TEST_CASE("norms of any order, with derivative zero where they or their terms are zero") {
  const Tensor x({{3, -4, 0}, {0, 0, 0}}, DType::f64);
  const auto of = [&](double order) {
    return results([=](Var v) { return norm_of_order(v, order, {1}); }, x);
  };
  CHECK(of(1) == std::vector<double>{7, 0});
  CHECK(of(2) == std::vector<double>{5, 0});
  CHECK(of(0) == std::vector<double>{2, 0});
  CHECK(of(kInf) == std::vector<double>{4, 0});
  CHECK(of(-kInf) == std::vector<double>{0, 0});
  CHECK(of(3)[0] == doctest::Approx(std::cbrt(91.0)));
  CHECK(of(-1) == std::vector<double>{0, 0});
  CHECK(results([](Var v) { return norm_of_order(v, -1); }, Tensor({2, -2}, DType::f64))[0] == 1);
  // Without a finite term a negative power of them is 0, as PyTorch says.
  CHECK(results([](Var v) { return norm_of_order(v, -1); }, Tensor({kInf, -kInf}))[0] == kInf);
  CHECK(results([](Var v) { return norm_of_order(v, -2); }, Tensor({1e30, 1e30}))[0] == kInf);
  const auto gradient = [](Var v) { return grad(sum(norm_of_order(v, 1.5, {1})), v); };
  const auto g = results(gradient, x);
  const double length = std::pow(std::pow(3.0, 1.5) + 8, 2.0 / 3);
  CHECK(g[0] == doctest::Approx(std::sqrt(3 / length)));
  CHECK(g[1] == doctest::Approx(-std::sqrt(4 / length)));
  CHECK(std::vector<double>(g.begin() + 2, g.end()) == std::vector<double>{0, 0, 0, 0});
  const auto h = results([&](Var v) { return grad(sum(square(gradient(v))), v); }, x);
  CHECK(std::isfinite(h[0]));
  CHECK(std::vector<double>(h.begin() + 2, h.end()) == std::vector<double>{0, 0, 0, 0});
  Tape tape;
  CHECK_THROWS_AS(norm_of_order(tape.constant(x), kNaN), ValueError);
}
