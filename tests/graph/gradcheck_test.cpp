#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>

using namespace backdrop;

namespace {

// Dropout as it is often written by mistake: b = a * mask / (1-p), but the mask alone on the way back.
constexpr auto p = attr::real("p").between(0, 1);
constinit const Op zero_one_op{
    .name = "dropout_with_0_1_mask",
    .inputs = {"x", "mask"},
    .attrs = {p},
    .infer = [](const Call& c) { return c.type(0); },
    .vjp = {[](const Call& c, Var g) { return mul(g, c[1]); }},
    .jvp = {[](const Call& c, Var t) { return dropout(t, c[p], c[1]); }},
    .body = [](const Call& c) { return scale(mul(c[0], c[1]), keep_scale(c[p])); },
};

struct Dropped {
  Tape tape;
  Var a = tape.variable("a", {1.0, -2.0, 3.0, 4.0});
  Var mask = tape.constant(Tensor::mask({1, 0, 1, 0}));
  Var right = dropout(a, 0.25, mask);
  Var wrong = tape.record(zero_one_op, {a, mask}, {0.25}, Where::here());
};

}  // namespace

TEST_CASE("dropout passes in every mode") {
  Dropped d;
  for (const Var y : {d.right, square(d.right), sum(square(d.right))}) {
    for (const CheckMode mode : {CheckMode::full, CheckMode::directional, CheckMode::taylor,
                                 CheckMode::dot_product, CheckMode::second_order}) {
      const Report report = gradcheck(y, {d.a}, {.mode = mode});
      INFO(to_string(report));
      CHECK(report.passed());
    }
  }
}

TEST_CASE("the 0/1 mask is found and named") {
  Dropped d;
  const Report report = gradcheck(square(d.wrong), {d.a});
  INFO(to_string(report));
  CHECK_FALSE(report.passed());
  CHECK(report.count(Verdict::fail) == 2);
  REQUIRE_FALSE(report.hints.empty());
  CHECK(report.hints[0].find("the 0/1 mask was used; use mask/(1-p)") != std::string::npos);
  CHECK(report.guilty.find("dropout_with_0_1_mask") == 0);
}

TEST_CASE("fused equals composed, in three columns") {
  Dropped d;
  const FusedVsComposed table = fused_vs_composed(d.right);
  INFO(to_string(table));
  CHECK(table.passed());
  CHECK(table.diagonal);
  CHECK(table.rows.size() == 4);
  const FusedVsComposed wrong = fused_vs_composed(d.wrong);
  CHECK_FALSE(wrong.passed());
  CHECK_FALSE(wrong.reverse_equal);
  CHECK(wrong.forward_equal);
}

TEST_CASE("a derivative that is NaN passes in no mode") {
  static constinit const Op nan_op{
      .name = "derivative_is_nan",
      .inputs = {"x"},
      .infer = [](const Call& c) { return c.type(0); },
      .vjp = {[](const Call& c, Var g) { return mul(g, log(scale(square(c[0]), -1))); }},
      .jvp = {[](const Call& c, Var t) { return mul(t, log(scale(square(c[0]), -1))); }},
      .body = [](const Call& c) { return square(c[0]); },
  };
  Tape tape;
  const Var x = tape.variable("x", Tensor({1, 2, 3}, DType::f64));
  const Var y = tape.record(nan_op, {x}, {}, Where::here());
  for (const CheckMode mode : {CheckMode::full, CheckMode::directional, CheckMode::taylor,
                               CheckMode::dot_product, CheckMode::second_order}) {
    const Report report = gradcheck(y, {x}, {.mode = mode});
    INFO(to_string(report));
    CHECK_FALSE(report.passed());
  }
}

TEST_CASE("a check along a direction takes few evaluations, however many inputs there are") {
  Tape tape;
  const Var w = tape.variable("w", Tensor::full({1000, 1000}, .25, DType::f64));
  const Var x = tape.variable("x", Tensor::full({1000}, .5, DType::f64));
  const Var y = sum(tanh(scale(matmul(w, x), .01)));
  const Report report = gradcheck(y, {w, x}, {.mode = CheckMode::directional});
  CHECK_MESSAGE(report.passed(), to_string(report));
  CHECK(report.evaluations > 8);
  CHECK(report.evaluations < 20);
}

TEST_CASE("plain central differences find what is wrong by more than a millionth") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({0.3, -1.2, 2.5, 0.7}).to(DType::f64));
  const Var y = sin(x), right = cos(x);
  const Tensor unit = Tensor({1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}).to(DType::f64).reshape({4, 4});
  const Var dense = mul(right, tape.constant(unit));
  const Report plain = gradcheck(y, {x}, {.extrapolate = false, .given = {dense}});
  const Report extrapolated = gradcheck(y, {x}, {.given = {dense}});
  CHECK_MESSAGE(plain.passed(), to_string(plain));
  CHECK_MESSAGE(extrapolated.passed(), to_string(extrapolated));
  CHECK(plain.evaluations < extrapolated.evaluations);
  for (const double off : {1.001, 1 + 1e-5}) {
    const Report wrong = gradcheck(y, {x}, {.extrapolate = false, .given = {scale(dense, off)}});
    CHECK_MESSAGE(wrong.count(Verdict::fail) > 0, to_string(wrong));
  }
}

// 1 - tanh(x)^2 is rounded to the same few numbers all around: values nearby show no rounding at all.
TEST_CASE("a right derivative is not called wrong where its function is saturated") {
  for (const double size : {1., 1.1, 1.3}) {
    Tape tape;
    const Var x = tape.variable("x", Tensor({1.0, 2.0, 3.0}).to(DType::f64));
    const Var w = tape.variable("w", Tensor({3 * size, 4 * size, 5 * size}).to(DType::f64));
    const Var b = tape.variable("b", Tensor({0.1, 0.2, 0.3}).to(DType::f64));
    const Var y = tanh(dropout(x * w + b, 0.5, Key{3, 0}));
    for (const CheckMode mode : {CheckMode::full, CheckMode::directional, CheckMode::taylor,
                                 CheckMode::second_order, CheckMode::dot_product}) {
      const Report report = gradcheck(y, {x, w, b}, {.mode = mode, .step = 1});
      CHECK_MESSAGE(report.count(Verdict::fail) == 0, to_string(report));
    }
  }
}

// Extrapolation takes the error of a central difference for a series in h^2, which begins with h here.
TEST_CASE("a right derivative is not called wrong where the second derivative jumps") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({0.0, 1.0, -1.0}).to(DType::f64));
  for (const Var y :
       {square(relu(x)), x * abs(x), exp(square(relu(x))) + sin(x * abs(x)), relu(x) * sin(x)}) {
    for (const CheckMode mode : {CheckMode::full, CheckMode::directional, CheckMode::taylor}) {
      const Report report = gradcheck(y, {x}, {.mode = mode});
      CHECK_MESSAGE(report.count(Verdict::fail) == 0, to_string(report));
    }
    const Report wrong = gradcheck(y, {x}, {.given = {tape.constant(Tensor::full({3, 3}, .01, DType::f64))}});
    CHECK_MESSAGE(wrong.count(Verdict::fail) == 9, to_string(wrong));
  }
}

TEST_CASE("a check that says nothing is refused: it would pass, or fail, whatever the derivatives are") {
  Dropped d;
  CHECK_THROWS_AS(gradcheck(d.wrong, {}), ValueError);
  for (const double tolerance : {std::nan(""), -1e-6, 1.0}) {
    CHECK_THROWS_AS(gradcheck(d.wrong, {d.a}, {.tolerance = tolerance}), ValueError);
  }
  CHECK_THROWS_AS(gradcheck(d.wrong, {d.a}, {.directions = -1}), ValueError);
  CHECK_THROWS_AS(gradcheck([](Tape& tape, std::span<const Var>) { return tape.constant({1.0}); }, {}),
                  ValueError);
}
