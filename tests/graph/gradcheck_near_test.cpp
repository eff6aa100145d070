#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <functional>
#include <vector>

// Branches, poles and periods that lie within the steps of the differences, and not at the point itself.
using namespace backdrop;

namespace {

Report check_at(const std::vector<double>& at, const std::function<Var(Var)>& f, double times = 1) {
  Tape tape;
  const Var x = tape.variable("x", Tensor::from(at, {static_cast<std::int64_t>(at.size())}));
  const Var y = sum(f(x));
  if (times == 1) return gradcheck(y, {x});
  return gradcheck(y, {x}, {.given = {tape.constant(value(scale(grad(y, x), times)))}});
}

Report check_slope(double at, Var (*f)(Var), double slope) {
  Tape tape;
  const Var x = tape.variable("x", Tensor::full({1}, at));
  return gradcheck(sum(f(x)), {x}, {.given = {tape.constant(Tensor::full({1}, slope))}});
}

}  // namespace

TEST_CASE("a right derivative passes beside a branch, a pole, and where the function swings fast") {
  struct {
    std::vector<double> at;
    Var (*f)(Var);
  } const kCases[] = {
      {{1 - 1e-7, 1 + 1e-7}, [](Var x) { return clip(x, -1, 1); }},
      {{1, 1 + 1e-7, 0}, [](Var x) { return max(x); }},
      {{1.5707, 1.57079}, [](Var x) { return tan(x); }},
      {{1e-6, -1 + 1e-6}, [](Var x) { return lgamma(x); }},
      {{1, 2}, [](Var x) { return sin(scale(x, 1e6)); }},
      {{1, 2}, [](Var x) { return x + scale(sin(scale(x, 1e6)), 1e-6); }},
      {{0}, [](Var x) { return mul(x, abs(x)); }},
  };
  for (const auto& c : kCases) {
    CAPTURE(&c - kCases);
    CHECK(check_at(c.at, c.f));
  }
}

TEST_CASE("a derivative beside a branch, a pole, and of a fast swing that is wrong by 3 % is found") {
  CHECK(check_at(
            {1 - 1e-7, 1 + 1e-7}, [](Var x) { return clip(x, -1, 1); }, 1.03)
            .count(Verdict::fail) > 0);
  CHECK(check_at(
            {1.57079}, [](Var x) { return tan(x); }, 1.03)
            .count(Verdict::fail) > 0);
  CHECK(check_at(
            {2}, [](Var x) { return sin(scale(x, 1e6)); }, 1.03)
            .count(Verdict::fail) > 0);
}

TEST_CASE("a right derivative beside a branch at 1e-9 is not called wrong") {
  CHECK(check_at({1 - 1e-9, 1 + 1e-9}, [](Var x) { return clip(x, -1, 1); }).count(Verdict::fail) == 0);
}

TEST_CASE("the rounding of sums and differences is no sign of a wrong derivative") {
  CHECK(check_at({1e-3}, [](Var x) { return square(x) + 1e4 - 1e4; }).count(Verdict::fail) == 0);
}

TEST_CASE("a derivative that is almost right is not said to miss a factor of 1") {
  const Report report = check_at(
      {1, 2}, [](Var x) { return mul(x, square(x)); }, 0.999998);
  REQUIRE(report.hints.size() == 1);
  CHECK(report.hints[0] ==
        "analytic / numeric = 1 - 2e-06 throughout: a constant is rounded, or a small term is missing");
}

TEST_CASE("a slope 1 % outside of those beside a kink is wrong") {
  const auto absolute = [](Var x) { return abs(x); };
  const auto bent = [](Var x) { return sin(x) + abs(x) * exp(x); };  // slopes 0 and 2
  for (const double inside : {-1.0, -.5, 0.0, 1.0})
    CHECK(check_slope(0, absolute, inside).count(Verdict::fail) == 0);
  for (const double outside : {-1.01, 1.001, 1.01})
    CHECK(check_slope(0, absolute, outside).count(Verdict::fail) == 1);
  for (const double inside : {0.0, 1.0, 2.0}) CHECK(check_slope(0, bent, inside).count(Verdict::fail) == 0);
  for (const double outside : {-.01, 2.01}) CHECK(check_slope(0, bent, outside).count(Verdict::fail) == 1);
  Tape tape;
  const Var x = tape.variable("x", Tensor::zeros({1}));
  const auto along_a_line = [&](double slope) {
    return gradcheck(sum(abs(x)), {x},
                     {.mode = CheckMode::directional, .given = {tape.constant(Tensor::full({1}, slope))}});
  };
  CHECK(along_a_line(1).count(Verdict::fail) == 0);
  CHECK(along_a_line(1.01).count(Verdict::fail) > 0);
}

TEST_CASE("at a jump the slopes are those beside it, not that of the jump") {
  const auto steps = [](Var x) { return floor(x); };
  CHECK(check_slope(2, steps, 0).count(Verdict::fail) == 0);
  for (const double wrong : {-1.0, 1.0, 100.0}) CHECK(check_slope(2, steps, wrong).count(Verdict::fail) == 1);
  const auto sawtooth = [](Var x) { return floor(x) * square(x); };  // slopes 2 x and 4 x
  for (const double between : {4.0, 6.0, 8.0})
    CHECK(check_slope(2, sawtooth, between).count(Verdict::fail) == 0);
  for (const double wrong : {3.9, 8.1, -4.0})
    CHECK(check_slope(2, sawtooth, wrong).count(Verdict::fail) == 1);
}
