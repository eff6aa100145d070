#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <functional>
#include <vector>

// What steps of one size do not show: swings and peaks narrower than they are, inputs and outputs of other
// sizes, values that rounding or underflow swallow, jumps.
using namespace backdrop;

namespace {

using Function = std::function<Var(Var)>;

const CheckMode kModes[] = {CheckMode::full, CheckMode::directional, CheckMode::taylor};

// Of f(x) with a derivative by hand: for each element of f(x), or of f's sum where it is of x's shape.
Report check(const std::vector<double>& at, const Function& f, const Function& derivative, CheckMode mode) {
  Tape tape;
  const Var x = tape.variable("x", Tensor::from(at, {static_cast<std::int64_t>(at.size())}));
  return gradcheck(f(x), {x}, {.mode = mode, .given = {derivative(x)}});
}

Function times(const Function& derivative, double factor) {
  return [=](Var x) { return scale(derivative(x), factor); };
}
Function slope(double s) {
  return [=](Var x) { return scale(x, 0) + s; };
}
Function diagonal(const Function& derivative) {
  return [=](Var x) {
    const std::int64_t n = x.shape()[0];
    Tensor unit = Tensor::zeros({n, n}, DType::f64);
    for (std::int64_t i = 0; i < n; ++i) unit.mutable_data<double>()[static_cast<std::size_t>(i * n + i)] = 1;
    return derivative(x) * x.tape().constant(unit);
  };
}

Var step(Var x) { return cast(greater(x, 0.), DType::f64); }

}  // namespace

TEST_CASE("a swing of 1e9 is followed, and what is wrong in it found") {
  const Function f = [](Var x) { return sum(sin(scale(x, 1e9))); },
                 d = [](Var x) { return scale(cos(scale(x, 1e9)), 1e9); };
  for (const CheckMode mode : kModes) {
    CAPTURE(name(mode));
    CHECK(check({1, 2}, f, d, mode));
    for (const double factor : {0., 1.03, -1.}) {
      CHECK(check({1, 2}, f, times(d, factor), mode).count(Verdict::fail) > 0);
    }
  }
}

TEST_CASE("where values underflow nothing is called wrong or right") {
  const Function f = [](Var x) { return sum(square(x)); }, d = [](Var x) { return scale(x, 2); };
  for (const double factor : {1., 1.5}) {
    CHECK(check({1e-170}, f, times(d, factor), CheckMode::full).exit_code() == 2);
    CHECK(check({1e-162}, f, times(d, factor), CheckMode::full).exit_code() == 2);
  }
  for (const CheckMode mode : kModes) {  // x^2 = 1e-316 has 8 digits
    CAPTURE(name(mode));
    CHECK(check({1e-158}, f, d, mode));
    CHECK(check({1e-158}, f, times(d, 1.05), mode).exit_code() == 1);
    CHECK(check({1e160}, f, d, mode).exit_code() == 2);
  }
}

TEST_CASE("a derivative of 0 is not believed where rounding swallows what moves") {
  const auto hidden = [](double size) { return [=](Var x) { return sum(scale(sin(x), size) + 1e8); }; };
  const Function cosine = [](Var x) { return sum(cos(x)); };
  const Function constant = [](Var x) { return sum(scale(x, 0) + 1e8); };
  const Function shut = [](Var x) { return sum(relu(x) + 1e8); };
  const Function steps = [](Var x) { return sum(floor(x) + 1e8); };
  const Function dropped = [](Var x) { return sum(scale(sin(x) + 1e30, 0) + square(relu(x - 10.))); };
  for (const CheckMode mode : kModes) {
    CAPTURE(name(mode));
    for (const double size : {1e-6, 1e-8, 1e-12})
      CHECK(check({1}, hidden(size), slope(0), mode).exit_code() == 2);
    CHECK(check({1e-9}, cosine, slope(0), mode).exit_code() == 2);
    CHECK(check({1, 2}, constant, slope(0), mode));
    CHECK(check({-1, -2}, shut, slope(0), mode));
    CHECK(check({1.5, -2.25}, steps, slope(0), mode));
    CHECK(check({1.5, -2.25}, dropped, slope(0), mode));
  }
}

TEST_CASE("at a jump the slope is that beside it, in every mode") {
  struct {
    double at;
    Var (*f)(Var);
  } const kJumps[] = {{2, [](Var x) { return floor(x); }},
                      {-3, [](Var x) { return ceil(x); }},
                      {2.5, [](Var x) { return round(x); }},
                      {0, step}};
  for (const auto& jump : kJumps) {
    const Function f = [&](Var x) { return sum(jump.f(x)); };
    for (const CheckMode mode : kModes) {
      CAPTURE(&jump - kJumps);
      CAPTURE(name(mode));
      CHECK(check({jump.at}, f, slope(0), mode));
      for (const double wrong : {-1., 1., 100.})
        CHECK(check({jump.at}, f, slope(wrong), mode).exit_code() == 1);
    }
  }
  // Between two jumps the value at the point says nothing.
  const Function f = [](Var x) { return sum(sign(x)); };
  for (const CheckMode mode : kModes) {
    CHECK(check({0}, f, slope(0), mode).count(Verdict::fail) == 0);
    CHECK_FALSE(check({0}, f, slope(1), mode));
  }
  Tape tape;  // the gradient of |x| is such a function
  const Var x = tape.variable("x", {0., 1., -1.});
  CHECK(gradcheck(abs(x) + square(x), {x}, {.mode = CheckMode::second_order}));
}

TEST_CASE("a peak narrower than the steps, or a pole or branch within them, hides no wrong derivative") {
  const auto peak = [](double sharpness) {
    return [=](Var x) { return sum(exp(-square(scale(x - .5, sharpness) + 1.))); };
  };
  const auto slope_of_peak = [](double sharpness) {
    return [=](Var x) {
      const Var u = scale(x - .5, sharpness) + 1.;
      return scale(u * exp(-square(u)), -2 * sharpness);
    };
  };
  const Function tangent = [](Var x) { return sum(tan(x)); }, d = [](Var x) { return 1. + square(tan(x)); };
  for (const CheckMode mode : {CheckMode::full, CheckMode::directional}) {
    CAPTURE(name(mode));
    for (const double sharpness : {1e5, 1e9}) {
      CHECK(check({.5}, peak(sharpness), slope_of_peak(sharpness), mode));
      CHECK(check({.5}, peak(sharpness), slope(0), mode).exit_code() == 1);
      CHECK(check({.5}, peak(sharpness), times(slope_of_peak(sharpness), 1.01), mode).exit_code() == 1);
    }
    CHECK(check({1.5707}, tangent, d, mode));
    CHECK(check({1.5707}, tangent, slope(0), mode).exit_code() == 1);
  }
  const Function largest = [](Var x) { return max(x); };
  const auto given = [](double a, double b) {
    return [=](Var x) { return x.tape().constant(Tensor({a, b}, DType::f64)); };
  };
  for (const CheckMode mode : kModes) {
    CHECK(check({1, 1 + 1e-9}, largest, given(0, 1), mode).count(Verdict::fail) == 0);
    CHECK(check({1, 1 + 1e-9}, largest, given(.5, .5), mode).exit_code() == 1);
    CHECK(check({1, 1 + 1e-9}, largest, given(0, 0), mode).exit_code() == 1);
  }
}

TEST_CASE("an element far smaller than the others is looked at in its own units") {
  const Function f = [](Var x) { return square(x); };
  const auto given = [](double off) {
    return diagonal([=](Var x) {
      return scale(x, 2) * x.tape().constant(Tensor({1., off, 1., 1.}, DType::f64));
    });
  };
  for (const CheckMode mode : kModes) {
    CAPTURE(name(mode));
    CHECK(check({1e8, 1e-8, 1, -3e4}, f, given(1), mode));
    CHECK(check({1e8, 1e-8, 1, -3e4}, f, given(1.01), mode).exit_code() == 1);
  }
  // Of their sum 10^-16 is no part that could be seen.
  const Function total = [](Var x) { return sum(square(x)); };
  const Function off = [](Var x) {
    return scale(x, 2) * x.tape().constant(Tensor({1., 1.01, 1., 1.}, DType::f64));
  };
  CHECK(check({1e8, 1e-8, 1, -3e4}, total, off, CheckMode::full).exit_code() == 2);
}

TEST_CASE("along a direction an output of 1e8 hides nothing of one of 1e-8") {
  const Tensor sizes({1e8, 1e-8, 1., 1e-3}, DType::f64);
  const Function f = [&](Var x) { return sin(x) * x.tape().constant(sizes); };
  const auto given = [&](double off) {
    return diagonal([=](Var x) {
      return cos(x) * x.tape().constant(sizes) * x.tape().constant(Tensor({1., off, 1., 1.}, DType::f64));
    });
  };
  for (const CheckMode mode : kModes) {
    CAPTURE(name(mode));
    CHECK(check({.3, .7, -1.1, 2}, f, given(1), mode));
    CHECK(check({.3, .7, -1.1, 2}, f, given(1.001), mode).exit_code() == 1);
  }
}

TEST_CASE("the Taylor test steps around a branch beside the point, and judges the slope at a kink") {
  const Function ramp = [](Var x) { return sum(relu(x)); };
  CHECK(check(
      {1e-9, 1e-6, -1e-9, .5}, ramp, [](Var x) { return step(x); }, CheckMode::taylor));
  CHECK(check({1e-9, 1e-6, -1e-9, .5}, ramp, slope(1), CheckMode::taylor).exit_code() == 1);
  const Function absolute = [](Var x) { return sum(abs(x)); };
  for (const double inside : {-1., 0., .5, 1.}) CHECK(check({0}, absolute, slope(inside), CheckMode::taylor));
  for (const double outside : {-1.01, 1.01, 3.})
    CHECK(check({0}, absolute, slope(outside), CheckMode::taylor).exit_code() == 1);
}

TEST_CASE("a direction that meets kinks finds what is wrong beside them") {
  const Function f = [](Var x) { return sum(relu(x) * exp(x)); };
  const auto wrong = [](double factor) {  // but 0 at the kinks
    return [=](Var x) { return scale(step(x) * exp(x) * (1. + x), factor); };
  };
  for (const CheckMode mode : {CheckMode::directional, CheckMode::taylor}) {
    CAPTURE(name(mode));
    CHECK(check({0, 1, -1, 0}, f, wrong(1), mode));
    for (const double factor : {-1., 0., 1.001})
      CHECK(check({0, 1, -1, 0}, f, wrong(factor), mode).exit_code() == 1);
  }
}

TEST_CASE("what noise hides is not passed by the Taylor test") {
  const Function f = [](Var x) { return sum(scale(sin(x), 1e-4) + 1e8); },
                 d = [](Var x) { return scale(cos(x), 1e-4); };
  for (const double factor : {1., 1.01}) {
    CHECK(check({1, .5}, f, times(d, factor), CheckMode::taylor).exit_code() == 2);
  }
}

TEST_CASE("where the second derivative jumps the one that is taken lies between those beside it") {
  static constinit const Op steep_op{
      .name = "twice_abs_with_a_steep_derivative",
      .inputs = {"x"},
      .infer = [](const Call& c) { return c.type(0); },
      .vjp = {[](const Call&, Var g) { return scale(g, 100); }},
      .jvp = {[](const Call&, Var t) { return scale(t, 100); }},
      .body = [](const Call& c) { return scale(abs(c[0]), 2); },
  };
  static constinit const Op bent_op{
      .name = "x_abs_x",
      .inputs = {"x"},
      .infer = [](const Call& c) { return c.type(0); },
      .vjp = {[](const Call& c, Var g) {
        return mul(g, c.tape.record(steep_op, {c[0]}, {}, Where::here()));
      }},
      .jvp = {[](const Call& c, Var t) {
        return mul(t, c.tape.record(steep_op, {c[0]}, {}, Where::here()));
      }},
      .body = [](const Call& c) { return mul(c[0], abs(c[0])); },
  };
  Tape tape;
  const Var x = tape.variable("x", Tensor::zeros({1}, DType::f64));
  CHECK(gradcheck(x * abs(x), {x}, {.mode = CheckMode::taylor}));
  const Var wrong = tape.record(bent_op, {x}, {}, Where::here());
  CHECK(gradcheck(wrong, {x}).passed());
  CHECK(gradcheck(wrong, {x}, {.mode = CheckMode::taylor}).exit_code() == 1);
}
