#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <vector>

namespace bd = backdrop;
using bd::DType, bd::Shape, bd::Tape, bd::Tensor, bd::Var;

namespace {

// A composite without rules of its own, whose body holds another one: x^3 as x * (x * x).
constinit const bd::Op inner_op{
    .name = "inner",
    .inputs = {"x"},
    .infer = [](const bd::Call& c) { return c.type(0); },
    .body = [](const bd::Call& c) { return bd::mul(c[0], c[0]); },
};
constinit const bd::Op cube_op{
    .name = "cube",
    .inputs = {"x"},
    .infer = [](const bd::Call& c) { return c.type(0); },
    .body =
        [](const bd::Call& c) {
          return bd::mul(c[0], c.tape.record(inner_op, {c[0]}, {}, bd::Where::here()));
        },
};

// Has a value, and no derivative in either mode.
constinit const bd::Op opaque_op{
    .name = "opaque",
    .inputs = {"x"},
    .infer = [](const bd::Call& c) { return c.type(0); },
};

Tensor f64(std::initializer_list<bd::NestedList> items) { return Tensor(items, DType::f64); }

}  // namespace

TEST_CASE("reverse mode walks the tape: the gradient of sum(w x^2)") {
  Tape tape;
  const Var x = tape.variable("x", f64({1, 2, 3}));
  const Var w = tape.variable("w", f64({4, 5, 6}));
  const auto [gx, gw] = bd::grad(bd::sum(w * bd::square(x)), x, w);
  CHECK(bd::value(gx).same_bits(f64({8, 20, 36})));
  CHECK(bd::value(gw).same_bits(f64({1, 4, 9})));
}

TEST_CASE("derivatives of any order: x^4 by grad of grad, in reverse and forward over reverse") {
  Tape tape;
  const Var x = tape.variable("x", Tensor::scalar(2, DType::f64));
  Var y = bd::square(bd::square(x));
  for (const double expected : {32., 48., 48., 24., 0.}) {
    y = bd::grad(y, x);
    CHECK(bd::value(y).item() == expected);
  }
  const Var one = tape.constant(Tensor::scalar(1, DType::f64));
  CHECK(bd::value(bd::hvp(bd::square(bd::square(x)), x, one)).item() == 48);
}

TEST_CASE("a gradient in an inner node takes it for a leaf") {
  Tape tape;
  const Var x = tape.variable("x", f64({3}));
  const Var inner = bd::square(x);
  CHECK(bd::value(bd::grad(bd::sum(bd::square(inner)), inner)).item() == 18);
}

TEST_CASE("each node is visited once, however many paths lead to it") {
  Tape tape;
  const Var x = tape.variable("x", Tensor::scalar(1, DType::f64));
  Var y = x;
  for (int k = 0; k < 60; ++k) y = y + y;  // 2^60 paths
  const std::size_t before = tape.size();
  CHECK(bd::value(bd::grad(y, x)).item() == 0x1p60);
  CHECK(tape.size() < before + 200);
}

TEST_CASE("an input that y does not depend on gets zeros of its type") {
  Tape tape;
  const Var x = tape.variable("x", f64({1, 2}));
  const Var stranger = tape.variable("stranger", Tensor({{1, 2, 3}}));
  const Var later = bd::square(x);
  const Var y = bd::sum(x);
  CHECK(bd::value(bd::grad(y, stranger)).same_bits(Tensor({{0, 0, 0}})));
  CHECK(bd::value(bd::grad(y, later)).same_bits(f64({0, 0})));
  CHECK(bd::value(bd::jvp(y, later, later)).item() == 0);
}

TEST_CASE("what nobody asked for is not recorded") {
  Tape tape;
  const Var x = tape.variable("x", f64({1, 2}));
  const Var w = tape.variable("w", f64({1, 2}));
  const Var y = bd::sum(x * w);
  const std::size_t before = tape.size();
  bd::grad(y, w);
  const std::size_t one = tape.size() - before;
  bd::grad(y, x, w);
  CHECK(tape.size() - before - one == one + 1);  // the seed and its spreading, and a product for each
}

TEST_CASE("a composite without rules is opened, and so are the composites of its body") {
  Tape tape;
  const Var x = tape.variable("x", f64({2, -3}));
  const Var cube = tape.record(cube_op, {x}, {}, bd::Where::here());
  const Var g = bd::grad(bd::sum(cube), x);
  CHECK(bd::value(cube).same_bits(f64({8, -27})));
  CHECK(bd::value(g).same_bits(f64({12, 27})));
  CHECK(bd::value(bd::grad(bd::sum(g), x)).same_bits(f64({12, -18})));
  CHECK(bd::value(bd::jvp(cube, x, tape.constant(f64({1, 10})))).same_bits(f64({12, 270})));
}

TEST_CASE("dropout carries the same mask both ways, at every step") {
  Tape tape;
  const Var x = tape.variable("x", Tensor::ones({1000}, DType::f64));
  const Var y = bd::dropout(x, 0.25, bd::Key{9, 0});
  const Var g = bd::grad(bd::sum(y), x);
  for (std::uint32_t step : {0U, 1U, 77U}) {
    const std::vector<Tensor> run = bd::value({y, g}, {.step = step});
    CHECK(run[0].same_bits(run[1]));
  }
}

TEST_CASE("derivatives carry the line of the node that they are of") {
  Tape tape;
  const Var x = tape.variable("x", f64({1, 2}));
  const Var y = bd::square(x);
  const Var g = bd::vjp(y, x, tape.constant(f64({1, 1})));
  CHECK(tape.where(tape.node(g)).line == tape.where(tape.node(y)).line);
}

TEST_CASE("what cannot be differentiated throws, and the tape is as it was") {
  Tape tape, other;
  const Var x = tape.variable("x", f64({1, 2}));
  const Var mask = tape.constant(Tensor::mask({1, 0}));
  const Var y = bd::dropout(x, 0.5, mask);
  const Var loss = bd::sum(bd::square(tape.record(opaque_op, {y}, {}, bd::Where::here())));
  const Var stranger = other.variable("x", f64({1, 2}));
  const Var total = bd::sum(y);
  const std::size_t before = tape.size();
  CHECK_THROWS_AS(bd::grad(y, x), bd::ShapeError);  // two elements, no cotangent
  CHECK_THROWS_AS(bd::grad(total, mask), bd::DTypeError);
  CHECK_THROWS_WITH_AS(bd::grad(loss, x), doctest::Contains("opaque: has no vjp in input 'x'"),
                       bd::GraphError);
  CHECK_THROWS_WITH_AS(bd::jvp(loss, x, x), doctest::Contains("opaque: has no jvp"), bd::GraphError);
  CHECK_THROWS_AS(bd::grad(loss, stranger), bd::TapeError);
  CHECK_THROWS_AS(bd::hvp(total, x, mask), bd::DTypeError);
  CHECK_THROWS_AS(bd::vjp(y, x, mask), bd::DTypeError);
  CHECK_THROWS_AS(bd::vjp(y, x, loss), bd::ShapeError);
  CHECK_THROWS_AS(bd::jvp(y, x, mask), bd::DTypeError);
  CHECK(tape.size() == before);
  CHECK(bd::value(bd::grad(total, x)).same_bits(f64({2, 0})));
}

TEST_CASE("hvp of several inputs has a part for each, with what the inputs do to one another") {
  bd::Tape tape;
  const bd::Var a = tape.variable("a", bd::Tensor({1, 2}, bd::DType::f64)),
                b = tape.variable("b", bd::Tensor({3, -1}, bd::DType::f64));
  const bd::Var v = tape.constant(bd::Tensor({1, 10}, bd::DType::f64)),
                w = tape.constant(bd::Tensor({100, 1000}, bd::DType::f64));
  const bd::Var xs[] = {a, b}, vs[] = {v, w};
  const std::vector<bd::Var> found =
      bd::hvp(bd::sum(bd::mul(bd::square(a), b)), xs, vs);  // H = [[2b, 2a], [2a, 0]]
  REQUIRE(found.size() == 2);
  CHECK(bd::value(found[0]).same_bits(
      bd::Tensor({2 * 3 * 1 + 2 * 1 * 100, 2 * -1 * 10 + 2 * 2 * 1000}, bd::DType::f64)));
  CHECK(bd::value(found[1]).same_bits(bd::Tensor({2 * 1 * 1, 2 * 2 * 10}, bd::DType::f64)));
}

TEST_CASE("hvp of many inputs records each tangent once, not once for each of them") {
  const auto recorded = [](int layers) {
    Tape tape;
    Var h = tape.input("x", {2, 3});
    std::vector<Var> weights;
    for (int k = 0; k < layers; ++k) {
      weights.push_back(tape.variable("w" + std::to_string(k), Tensor::ones({3, 3})));
      h = bd::tanh(bd::matmul(h, weights.back()));
    }
    bd::hvp(bd::sum(h), weights, weights);
    return tape.size();
  };
  CHECK(recorded(40) < 2.2 * static_cast<double>(recorded(20)));
}

TEST_CASE("a jvp looks at what y is made of alone") {
  Tape tape;
  const Var x = tape.variable("x", f64({1, 2}));
  bd::square(tape.record(opaque_op, {x}, {}, bd::Where::here()));  // has no jvp, and nothing to do with y
  const Var inner = bd::square(x), y = bd::sum(bd::square(inner));
  const std::size_t before = tape.size();
  CHECK(bd::value(bd::jvp(y, x, x)).item() == 4 * 1 + 4 * 16);
  const std::size_t whole = tape.size() - before;
  // Of an inner node whose tangent is given nobody asks what it would be.
  CHECK(bd::value(bd::jvp(y, std::vector<Var>{x, inner}, std::vector<Var>{x, inner})).item() ==
        2 * 1 + 2 * 16);
  CHECK(tape.size() - before - whole < whole);
  CHECK(bd::value(bd::hvp(y, x, x)).same_bits(f64({12, 96})));
}

TEST_CASE("derivatives in several inputs are asked for in braces, all in one way") {
  Tape tape;
  const Var x = tape.variable("x", {1.0, 2.0}), w = tape.variable("w", {3.0, -1.0});
  const Var y = sum(square(x) * w), one = tape.constant(Tensor::scalar(1.));
  const auto [loss, gradients] = value_and_grad(y, {x, w});
  CHECK(value(loss).item() == -1);
  CHECK(value(gradients[0]).same_bits(Tensor({6., -4.})));
  CHECK(value(gradients[1]).same_bits(Tensor({1., 4.})));
  CHECK(value(vjp(y, {x, w}, one)[1]).same_bits(value(gradients[1])));
  CHECK(value(jvp(y, {x, w}, {w, x})).item() == value(sum(gradients[0] * w + gradients[1] * x)).item());
  CHECK(value(hvp(y, {x, w}, {w, x})[1]).same_bits(value(2 * x * w)));
  CHECK(value(value_and_grad(y, {x}).grads[0]).same_bits(Tensor({6., -4.})));
}
