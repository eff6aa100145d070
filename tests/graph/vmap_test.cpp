#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <string>

using namespace backdrop;

TEST_CASE("vmap gives the gradient of each example of a batch") {
  Tape tape;
  const Var w = tape.variable("w", Tensor({{1.0, 2.0}, {3.0, 4.0}}));
  const Var x = tape.input("x", {3, 2}), labels = tape.input("labels", {3}, DType::i64);
  const Var loss = cross_entropy(matmul(x, w), labels);
  const Var xs = tape.input("xs", {4, 3, 2}), many = tape.input("many", {4, 3}, DType::i64);
  const std::size_t before = tape.size();
  const Var each = vmap(grad(loss, w), std::vector<Var>{x, labels}, std::vector<Var>{xs, many});
  CHECK(tape.size() < before + 60);
  REQUIRE(each.shape() == Shape{4, 2, 2});
  const Tensor inputs = Tensor::arange(24, DType::f32).reshape({4, 3, 2});
  const Tensor classes = Tensor::from(std::vector<std::int64_t>{0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1}, {4, 3});
  const Tensor found = value(each, {.feeds = {{xs, inputs}, {many, classes}}});
  for (std::int64_t k = 0; k < 4; ++k) {
    Tape cut;
    const auto part = [&](const Tensor& all) { return value(select(cut.constant(all), 0, k)); };
    const Tensor one = value(grad(loss, w), {.feeds = {{x, part(inputs)}, {labels, part(classes)}}});
    for (std::size_t e = 0; e < 4; ++e) {
      CHECK(found.at(static_cast<std::size_t>(k) * 4 + e) == doctest::Approx(one.at(e)).epsilon(1e-5));
    }
  }
}

TEST_CASE("vmap records an op once for all values, and places it where the op was recorded") {
  Tape tape;
  const Var x = tape.input("x", {3}), many = tape.input("many", {1000, 3});
  const unsigned line = __LINE__ + 1;
  const Var y = var(x);
  const std::size_t before = tape.size();
  vmap(mean(y), x, many);
  CHECK(tape.size() < before + 30);
  std::size_t at_line = 0;
  for (std::size_t i = before; i < tape.size(); ++i) {
    const Where where = tape.where(tape.node(i));
    CHECK(std::string(where.file) == "vmap_test.cpp");
    at_line += where.line == line ? 1 : 0;
  }
  CHECK(at_line > 2);
}

TEST_CASE("vmap refuses values that do not fit, and leaves the tape as it was") {
  Tape tape;
  const Var x = tape.input("x", {3}), y = exp(x);
  const std::size_t before = tape.size();
  CHECK_THROWS_WITH_AS(vmap(y, x, tape.constant(Tensor::zeros({2, 4}))), doctest::Contains("vmap"),
                       ShapeError);
  CHECK_THROWS_AS(vmap(y, x, tape.constant(Tensor::zeros({0, 3}))), ShapeError);
  CHECK_THROWS_AS(vmap(y, x, tape.constant(Tensor::zeros({2, 3}, DType::f64))), DTypeError);
  CHECK(tape.size() == before + 3);  // the constants
  const Var many = tape.constant(Tensor::zeros({2, 3})), xs[] = {x, x}, twice[] = {many, many};
  CHECK_THROWS_AS(vmap(y, xs, twice), ValueError);
}
