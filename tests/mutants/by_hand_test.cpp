#include "mutants/by_hand.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace backdrop;

namespace {

Report check(const HandMade& h, Subject& s, CheckMode mode) {
  GradcheckOptions options = s.options;
  options.mode = mode;
  options.promote = !h.as_recorded;
  return gradcheck(s.y, s.xs, options);
}

bool hinted(const Report& report, const char* words) {
  for (const std::string& hint : report.hints) {
    if (hint.find(words) != std::string::npos) return true;
  }
  return false;
}

// The hints for one faulty op alone.
Report alone(const char* op) {
  const HandMade& h = made_by_hand(op);
  const auto s = h.make(h, DType::f64);
  for (std::size_t i = 0; i < s->tape.size(); ++i) {
    if (s->tape.node(i).op == h.faulty) return gradcheck(s->tape.var(i), s->xs, s->options);
  }
  throw GraphError("the faulty node is missing");
}

}  // namespace

TEST_CASE("every fault is found by the modes that promise it, in either dtype, and its node named") {
  for (const HandMade& h : made_by_hand()) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      if (h.as_recorded && dtype == DType::f64) continue;
      if (h.large) continue;
      const auto subject = h.make(h, dtype);
      for (const CheckMode mode : h.modes) {
        const Report report = check(h, *subject, mode);
        INFO(std::string(h.op));
        INFO(to_string(report));
        CHECK(report.count(Verdict::fail) > 0);
        CHECK(report.guilty.starts_with(h.op));
      }
    }
  }
}

TEST_CASE("one wrong entry in a million is found, and named") {
  const HandMade& h = made_by_hand("one_in_a_million");
  const auto s = h.make(h, DType::f64);
  const Report report = gradcheck(s->y, s->xs);
  CHECK(report.count(Verdict::pass) == 1'000'000'000'000 - 1);
  CHECK(report.count(Verdict::fail) == 1);
  CHECK(report.worst[0].column == 271'828);
  CHECK(report.guilty.starts_with(h.op));
}

TEST_CASE("a test framework prints the report, and a program can return its verdict") {
  const HandMade& h = made_by_hand("bare_mask");
  const auto s = h.make(h, DType::f64);
  const Report wrong = gradcheck(s->y, s->xs);
  CHECK_FALSE(bool(wrong));
  CHECK(wrong.exit_code() == 1);
  CHECK(std::string(doctest::toString(wrong).c_str()) == to_string(wrong));
  CHECK(to_string(wrong).find("% wrong") != std::string::npos);
  CHECK(to_string(wrong).find("again: gradcheck(square at by_hand.cpp:") != std::string::npos);
  CHECK(gradcheck(square(s->xs[0]), s->xs));
  CHECK(gradcheck(square(s->xs[0]), s->xs).exit_code() == 0);
}

TEST_CASE("a fault in the jvp is found by the forward check too") {
  const HandMade& h = made_by_hand("wrong_forward");
  const auto s = h.make(h, DType::f64);
  CHECK(gradcheck(s->y, s->xs).passed());
  CHECK_FALSE(gradcheck(s->y, s->xs, {.forward = true}).passed());
}

TEST_CASE("where only the second order is wrong, the first passes") {
  const HandMade& h = made_by_hand("second_order_only");
  const auto s = h.make(h, DType::f64);
  CHECK(gradcheck(s->y, s->xs).passed());
  const Report trend = gradcheck(s->y, s->xs, {.mode = CheckMode::taylor});
  CHECK_FALSE(trend.passed());
  CHECK(trend.trends[0].verdict == Verdict::pass);
  CHECK(trend.trends[1].verdict == Verdict::fail);
  CHECK(trend.trends[1].rate == doctest::Approx(2).epsilon(.05));
}

TEST_CASE("a zero gradient of 1e-6 |x|^2 fails, however small it all is") {
  for (const double size : {1e-6, 1e-12, 1e-30}) {
    Tape tape;
    const Var x = tape.variable("x", Tensor({1, 2, 3}, DType::f64));
    const Var y = scale(sum(square(x)), size);
    CHECK(gradcheck(y, {x}).passed());
    const Report report = gradcheck(y, {x}, {.given = {full_like(x, 0)}});
    CHECK(report.count(Verdict::fail) == 3);
    CHECK(hinted(report, "zero"));
  }
}

TEST_CASE("what rounding hides is inconclusive, not right") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({1, 2, 3}, DType::f64));
  const Var y = add(scale(sum(square(x)), 1e-18), 1.);
  CHECK(gradcheck(y, {x}).count(Verdict::inconclusive) == 3);
  CHECK_FALSE(gradcheck(y, {x}).passed());
}

TEST_CASE("hints say in plain words what is wrong") {
  CHECK(hinted(alone("bare_mask"), "the 0/1 mask was used; use mask/(1-p)"));
  CHECK(hinted(alone("scaled_twice"), "applied twice"));
  CHECK(hinted(alone("wrong_sign"), "sign"));
  CHECK(hinted(alone("factor_missing"), "factor 2 is missing"));
  CHECK(hinted(alone("zero_gradient"), "zero"));
  CHECK(hinted(alone("one_entry"), "1 of 16 entries"));

  Tape tape;
  const Var x = tape.variable("x", Tensor({{1, 2}, {3, 4}, {5, 6}}, DType::f64));
  const Var y = sum(square(x));
  const Var given = tape.constant(Tensor({{2, 6}, {10, 4}, {8, 12}}, DType::f64));
  CHECK(hinted(gradcheck(y, {x}, {.given = {given}}), "transpose"));
}

TEST_CASE("a failure names the input, the entry and both values") {
  const HandMade& h = made_by_hand("one_entry");
  const auto s = h.make(h, DType::f64);
  const std::string text = to_string(gradcheck(s->y, s->xs));
  CHECK(text.find("FAILED") != std::string::npos);
  CHECK(text.find("d y[2] / d x[2]: analytic") != std::string::npos);
  CHECK(text.find("first wrong node: one_entry at by_hand.cpp:") != std::string::npos);
}
