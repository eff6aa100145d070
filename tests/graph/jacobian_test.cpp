#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

using namespace backdrop;

TEST_CASE("the local Jacobian of dropout is diag(mask/(1-p))") {
  Tape tape;
  const Var a = tape.variable("a", {1.0, -2.0, 3.0, 4.0});
  const Var b = dropout(a, 0.5, tape.constant(Tensor::mask({1, 0, 1, 0})));
  const LocalJacobian local = local_jacobian(b);
  CHECK(local.structure == Structure::diagonal);
  CHECK(local.values.same_bits(Tensor({2, 0, 2, 0})));
  CHECK(to_string(local) == "diag(2, 0, 2, 0)");
  CHECK(local.dense().same_bits(Tensor({{2, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 2, 0}, {0, 0, 0, 0}})));
}

TEST_CASE("a drawn mask is that of the step asked for") {
  Tape tape;
  const Var a = tape.input("a", {64});
  const Var b = dropout(a, 0.5, Key{7, 0});
  const Tensor ones = Tensor::ones({64});
  for (const std::uint32_t step : {0U, 3U}) {
    const Tensor expected = value(b, {.feeds = {{a, ones}}, .step = step});
    CHECK(local_jacobian(b, std::nullopt, {.feeds = {{a, ones}}, .step = step}).values.same_bits(expected));
  }
}

TEST_CASE("the local Jacobian counts one argument only, also where it is used twice") {
  Tape tape;
  const Var a = tape.variable("a", {3.0, 5.0});
  const Var y = mul(a, a);
  CHECK(to_string(local_jacobian(y, 0)) == "diag(3, 5)");
  CHECK(to_string(local_jacobian(y, 1)) == "diag(3, 5)");
  CHECK(to_string(local_jacobian(add(a, a))) == "identity(2)");
  CHECK(to_string(local_jacobian(sum(a))) == "[[1, 1]]");
}

TEST_CASE("an op without a derivative is named") {
  Tape tape;
  const Var mask = dropout_mask(tape, {3}, 0.5, Key{1, 0});
  CHECK_THROWS_WITH_AS(local_jacobian(mask), doctest::Contains("dropout_mask"), GraphError);
}

TEST_CASE("jacobian takes rows or columns, whichever are fewer, and gives the same") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({1, 2, 3}, DType::f64));
  const Var wide = broadcast_to(square(x), {2, 3});  // 6 by 3: columns
  const Var narrow = sum(square(x));                 // 1 by 3: rows
  const Tensor by_columns = jacobian(wide, x);
  CHECK(by_columns.shape() == Shape{2, 3, 3});
  CHECK(by_columns.same_bits(
      Tensor({{{2, 0, 0}, {0, 4, 0}, {0, 0, 6}}, {{2, 0, 0}, {0, 4, 0}, {0, 0, 6}}}, DType::f64)));
  CHECK(jacobian(narrow, x).same_bits(Tensor({2, 4, 6}, DType::f64)));
}

TEST_CASE("jacobian by a node inside the recording takes it as given") {
  Tape tape;
  const Var x = tape.variable("x", {1.0, 2.0});
  const Var h = square(x);
  CHECK(jacobian(mul(h, x), h).same_bits(Tensor({{1, 0}, {0, 2}})));
}

TEST_CASE("the Hessian of sum((x1 x2)^2) is that of the textbook") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({2, 3}, DType::f64));
  const Var y = square(mul(sum(mul(x, tape.constant(Tensor({1, 0}, DType::f64)))),
                           sum(mul(x, tape.constant(Tensor({0, 1}, DType::f64))))));
  // (ab)^2: [2b^2, 4ab; 4ab, 2a^2]
  CHECK(hessian(y, x).same_bits(Tensor({{18, 24}, {24, 8}}, DType::f64)));
}

TEST_CASE("asking for Jacobians leaves the tape as it was") {
  Tape tape;
  const Var x = tape.variable("x", {1.0, 2.0});
  const Var y = square(x);
  const std::size_t before = tape.size();
  local_jacobian(y);
  jacobian(y, x);
  hessian(sum(y), x);
  CHECK(tape.size() == before + 1);  // the sum is the caller's
}

TEST_CASE("the Jacobian of an elementwise chain with dropout is a diagonal, for the price of one vjp") {
  Tape tape;
  const Var x = tape.variable("x", normal({100'000}, 0, 1, Key{1, 2}, DType::f64));
  const Var y = sigmoid(scale(dropout(tanh(x), .25, Key{5, 6}), 3));
  const BlockJacobian found = block_jacobian(y, x);
  CHECK(found.structure() == Structure::diagonal);
  CHECK(found.blocks == 100'000);
  CHECK(found.values.reshape({100'000}).same_bits(value(grad(sum(y), x))));
}

TEST_CASE("independent rows of a batch give a block each, and dense() puts them in their places") {
  Tape tape;
  const Var x = tape.variable("x", normal({4, 3}, 0, 1, Key{1, 2}, DType::f64));
  const Var w = tape.variable("w", normal({3, 2}, 0, 1, Key{1, 3}, DType::f64));
  const Var y = softmax(relu(matmul(dropout(x, .5, Key{5, 6}), w)));
  const BlockJacobian found = block_jacobian(y, x);
  CHECK(found.structure() == Structure::block);
  CHECK(found.blocks == 4);
  CHECK(found.values.shape() == Shape{8, 3});
  const Tensor dense = found.dense();
  for (std::int64_t i = 0; i < 8; ++i) {
    const Var row = reshape(slice(reshape(y, {8}), {i}, {i + 1}), Shape{});
    const Tensor expected = value(grad(row, x));
    for (std::size_t j = 0; j < 12; ++j) {
      CHECK(dense.at(static_cast<std::size_t>(i) * 12 + j) == doctest::Approx(expected.at(j)));
    }
  }
  CHECK(jacobian(y, x).reshape({8, 12}).same_bits(dense));
  CHECK(block_jacobian(y, w).structure() == Structure::dense);
}

namespace {

// u'' on a grid, and a term that keeps it nonlinear.
Var diffusion(Var u) {
  const std::int64_t n = u.shape()[0];
  const Var left = slice(u, {0}, {n - 2}), middle = slice(u, {1}, {n - 1}), right = slice(u, {2}, {n});
  return add(add(left, right), mul(middle, sub(square(middle), 2.)));
}

}  // namespace

TEST_CASE("a banded Jacobian takes as many passes as it has bands") {
  Tape tape;
  std::vector<double> numbers(2000);
  for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = .001 * static_cast<double>(k) - 1;
  const Var u = tape.variable("u", Tensor::from(numbers, {2000}));
  const SparseJacobian found = sparse_jacobian(diffusion(u), u);
  CHECK(found.passes == 3);
  CHECK(found.rows == 1998);
  CHECK(found.columns == 2000);
  CHECK(found.column.size() == 3 * 1998);
  for (std::size_t r = 0; r < found.rows; ++r) {
    REQUIRE(found.row_begin[r] == 3 * r);
    CHECK(found.values.at(3 * r) == 1);
    CHECK(found.values.at(3 * r + 1) == doctest::Approx(3 * numbers[r + 1] * numbers[r + 1] - 2));
    CHECK(found.values.at(3 * r + 2) == 1);
    CHECK(found.column[3 * r + 1] == r + 1);
  }
}

TEST_CASE("a compressed Jacobian is the Jacobian, by rows or by columns") {
  Tape tape;
  const Var u = tape.variable("u", Tensor({0.5, -1.0, 2.0, 0.25, 3.0, -0.5, 1.5, 1.0}).to(DType::f64));
  const Var band = diffusion(u);
  const Var arrow = concat({sum(square(u), {0}, true), exp(u)}, 0);  // a dense first row: rows are fewer
  for (const Var y : {band, arrow, cumsum(u, 0), softmax(u, 0)}) {
    const auto m = static_cast<std::int64_t>(y.shape().numel());
    const Tensor by_rows = [&] {
      std::vector<Var> rows;
      for (std::int64_t i = 0; i < m; ++i) rows.push_back(grad(select(y, 0, i), u));
      return value(stack(rows));
    }();
    const Tensor dense = sparse_jacobian(y, u).dense();
    REQUIRE(dense.shape() == by_rows.shape());
    for (std::size_t e = 0; e < dense.numel(); ++e) CHECK(dense.at(e) == doctest::Approx(by_rows.at(e)));
    CHECK(jacobian(y, u).same_bits(dense));
  }
  CHECK(sparse_jacobian(arrow, u).passes <= 3);
}

TEST_CASE("the Hessian of a chain of neighbours is tridiagonal") {
  Tape tape;
  const Var x = tape.variable("x", Tensor::full({500}, .5, DType::f64));
  const Var here = slice(x, {0}, {499}), next = slice(x, {1}, {500});
  const Var rosenbrock = sum(add(scale(square(sub(next, square(here))), 100), square(sub(1., here))));
  const SparseJacobian found = sparse_hessian(rosenbrock, x);
  CHECK(found.passes <= 4);
  CHECK(found.column.size() == 3 * 500 - 2);
  CHECK(found.dense().same_bits(hessian(rosenbrock, x)));
  CHECK(found.values.at(0) == doctest::Approx(1200 * .25 - 400 * .5 + 2));
  CHECK(found.values.at(1) == doctest::Approx(-400 * .5));
}

namespace {

constexpr Op only_backwards_op{
    .name = "only_backwards",
    .inputs = {"x"},
    .structure = Structure::diagonal,
    .infer = [](const Call& c) { return c.type(0); },
    .block =
        [](const Block& b) {
          for (std::size_t i = 0; i < b.count; ++i) {
            static_cast<double*>(b.y)[i] = 2 * static_cast<const double*>(b.x[0])[i];
          }
        },
    .vjp = {[](const Call&, Var g) { return scale(g, 2); }},
};

}  // namespace

TEST_CASE("an op with a rule in one mode only has a compressed Jacobian in that mode") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0}).to(DType::f64));
  const Var twice = tape.record(only_backwards_op, {slice(x, {0}, {7})}, {}, Where::here());
  const Var y = slice(x, {1}, {8}) * twice;
  const Tensor dense = jacobian(y, x);
  CHECK(dense.at(0) == 4);
  CHECK(dense.at(1) == 2);
  CHECK(dense.at(2) == 0);
  CHECK(sparse_jacobian(y, x).dense().same_bits(dense));
}

TEST_CASE("a Jacobian with too many entries to list is refused, with what to do") {
  Tape tape;
  const Var x = tape.variable("x", Tensor::full({8000}, .01, DType::f64));
  const Var y = exp(broadcast_to(sum(square(x)), {8000}));
  CHECK_THROWS_WITH_AS(sparse_jacobian(y, x), doctest::Contains("jacobian()"), GraphError);
}
