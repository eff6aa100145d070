#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <initializer_list>
#include <string>

// Wrong derivatives, one fault each, and the modes of gradcheck that must find it.
using namespace backdrop;

namespace {

constexpr auto p = attr::real("p").between(0, 1);

Type like_x(const Call& c) { return c.type(0); }
Var drop(const Call& c, Var v) { return dropout(v, c[p], c[1]); }
Var times_two_x(const Call& c, Var g) { return mul(g, scale(c[0], 2)); }

// Kernels are those of the right body, so each fault is in one rule and nowhere else.
constexpr Op dropout_with(const char* name, Rules vjp) {
  Op op{.name = name, .inputs = {"x", "mask"}, .attrs = {p}, .infer = like_x, .vjp = vjp};
  op.jvp = {[](const Call& c, Var t) { return drop(c, t); }};
  op.body = [](const Call& c) { return scale(mul(c[0], c[1]), keep_scale(c[p])); };
  return op;
}
constexpr Op square_with(const char* name, Rules vjp, Rules jvp) {
  Op op{.name = name, .inputs = {"x"}, .infer = like_x, .vjp = vjp, .jvp = jvp};
  op.body = [](const Call& c) { return square(c[0]); };
  return op;
}

constinit const Op bare_mask = dropout_with("bare_mask", {[](const Call& c, Var g) { return mul(g, c[1]); }});
constinit const Op scaled_twice =
    dropout_with("scaled_twice", {[](const Call& c, Var g) { return scale(drop(c, g), keep_scale(c[p])); }});
constinit const Op scaled_by_p =
    dropout_with("scaled_by_p", {[](const Call& c, Var g) { return scale(mul(g, c[1]), 1 / c[p]); }});
constinit const Op no_mask =
    dropout_with("no_mask", {[](const Call& c, Var g) { return scale(g, keep_scale(c[p])); }});
constinit const Op new_mask = dropout_with("new_mask", {[](const Call& c, Var g) {
                                             return dropout(g, c[p], Key{99, 2});
                                           }});

constinit const Op wrong_sign = square_with(
    "wrong_sign", {[](const Call& c, Var g) { return scale(times_two_x(c, g), -1); }}, {times_two_x});
constinit const Op factor_missing =
    square_with("factor_missing", {[](const Call& c, Var g) { return mul(g, c[0]); }}, {times_two_x});
constinit const Op off_by_1e4 = square_with(
    "off_by_1e4", {[](const Call& c, Var g) { return scale(times_two_x(c, g), 1.0001); }}, {times_two_x});
constinit const Op zero_gradient = square_with("zero_gradient", {zero}, {times_two_x});
constinit const Op one_entry =
    square_with("one_entry", {[](const Call& c, Var g) {
                  Tensor bump = Tensor::ones(c.shape(0), c.dtype(0));
                  bump = bump.to(DType::f64);
                  bump.mutable_data<double>()[2] = 1.0001;
                  return mul(times_two_x(c, g), c.tape.constant(bump.to(c.dtype(0))));
                }},
                {times_two_x});
constinit const Op wrong_forward =
    square_with("wrong_forward", {times_two_x}, {[](const Call& c, Var t) { return mul(t, c[0]); }});

// 2x whose own derivative is 3: right in the first order, wrong in the second.
constinit const Op doubled{.name = "doubled",
                           .inputs = {"x"},
                           .infer = like_x,
                           .vjp = {[](const Call&, Var g) { return scale(g, 3); }},
                           .jvp = {[](const Call&, Var t) { return scale(t, 3); }},
                           .body = [](const Call& c) { return scale(c[0], 2); }};
Var wrong_in_second(const Call& c, Var g) {
  return mul(g, c.tape.record(doubled, {c[0]}, {}, Where::here()));
}
constinit const Op second_order_only = square_with("second_order_only", {wrong_in_second}, {wrong_in_second});

constinit const Op transposed{.name = "transposed",
                              .inputs = {"a", "b"},
                              .infer = [](const Call& c) { return c.type(1); },
                              .vjp = {nullptr, [](const Call& c, Var g) { return matmul(c[0], g); }},
                              .jvp = {nullptr, [](const Call& c, Var t) { return matmul(c[0], t); }},
                              .body = [](const Call& c) { return matmul(c[0], c[1]); }};
constinit const Op mean_for_sum{
    .name = "mean_for_sum",
    .inputs = {"x"},
    .infer =
        [](const Call& c) {
          return Type{c.dtype(0), c.tape.intern(Shape{2, c.shape(0)[0]})};
        },
    .vjp = {[](const Call& c, Var g) { return scale(sum_to(g, c.shape(0)), .5); }},
    .jvp = linear,
    .body =
        [](const Call& c) {
          return broadcast_to(c[0], Shape{2, c.shape(0)[0]});
        }};

// x -> y with one faulty node in the middle of a smooth function.
struct Subject {
  explicit Subject(const Op& op, DType dtype) {
    x = tape.variable("x", Tensor({1.5, -2, .75, 3}, dtype));
    const Var h = square(x);
    if (op.attr_count() > 0) {
      const Var mask = tape.constant(Tensor::mask({1, 0, 1, 1}));
      y = tape.record(op, {h, mask}, {.25}, Where::here());
    } else if (op.arity() == 2) {
      const Var a = tape.constant(Tensor({{1, 2, 3, 4}, {0, 1, -1, 2}, {5, 0, 1, 1}, {2, 2, -3, 1}}, dtype));
      y = reshape(tape.record(op, {a, reshape(h, {4, 1})}, {}, Where::here()), {4});
    } else {
      y = tape.record(op, {h}, {}, Where::here());
    }
    y = square(add(y, 1.));  // a square alone would hide what comes through dropped units
  }
  Tape tape;
  Var x, y;
};

// The modes named must find the fault in either dtype and name the node.
void must_find(const Op& op, std::initializer_list<CheckMode> modes) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    for (const CheckMode mode : modes) {
      Subject subject(op, dtype);
      const Report report = gradcheck(subject.y, {subject.x}, {.mode = mode});
      INFO(std::string(op.name));
      INFO(to_string(report));
      CHECK(report.count(Verdict::fail) > 0);
      CHECK(report.guilty.starts_with(op.name));
    }
  }
}

bool hinted(const Report& report, const char* words) {
  for (const std::string& hint : report.hints) {
    if (hint.find(words) != std::string::npos) return true;
  }
  return false;
}

// The hints for one faulty op alone.
Report alone(const Op& op) {
  Subject subject(op, DType::f64);
  const Node& last = subject.tape.node(subject.y);
  const Var h = subject.tape.var(last.inputs()[0]);
  return gradcheck(h, {subject.x});
}

}  // namespace

TEST_CASE("faults in first order are found by differences, by trend, and against the other mode") {
  for (const Op* op :
       {&bare_mask, &scaled_twice, &scaled_by_p, &no_mask, &new_mask, &wrong_sign, &factor_missing,
        &off_by_1e4, &zero_gradient, &one_entry, &transposed, &mean_for_sum}) {
    must_find(*op, {CheckMode::full, CheckMode::directional, CheckMode::taylor, CheckMode::dot_product});
  }
}

TEST_CASE("a fault in the jvp is found by the forward check and by the dot product") {
  must_find(wrong_forward, {CheckMode::dot_product});
  Subject subject(wrong_forward, DType::f64);
  CHECK(gradcheck(subject.y, {subject.x}).passed());
  CHECK_FALSE(gradcheck(subject.y, {subject.x}, {.forward = true}).passed());
}

TEST_CASE("a fault in the second order only is found there, and nothing is wrong in the first") {
  must_find(second_order_only, {CheckMode::second_order});
  Subject subject(second_order_only, DType::f64);
  CHECK(gradcheck(subject.y, {subject.x}).passed());
  const Report trend = gradcheck(subject.y, {subject.x}, {.mode = CheckMode::taylor});
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
  CHECK(hinted(alone(bare_mask), "the 0/1 mask was used; use mask/(1-p)"));
  CHECK(hinted(alone(scaled_twice), "applied twice"));
  CHECK(hinted(alone(wrong_sign), "sign"));
  CHECK(hinted(alone(factor_missing), "factor 2 is missing"));
  CHECK(hinted(alone(zero_gradient), "zero"));
  CHECK(hinted(alone(one_entry), "1 of 16 entries"));

  Tape tape;
  const Var x = tape.variable("x", Tensor({{1, 2}, {3, 4}, {5, 6}}, DType::f64));
  const Var y = sum(square(x));
  const Var given = tape.constant(Tensor({{2, 6}, {10, 4}, {8, 12}}, DType::f64));
  CHECK(hinted(gradcheck(y, {x}, {.given = {given}}), "transpose"));
}

TEST_CASE("a failure names the input, the entry and both values") {
  Subject subject(one_entry, DType::f64);
  const std::string text = to_string(gradcheck(subject.y, {subject.x}));
  CHECK(text.find("FAILED") != std::string::npos);
  CHECK(text.find("d y[2] / d x[2]: analytic") != std::string::npos);
  CHECK(text.find("first wrong node: one_entry at planted_faults_test.cpp:") != std::string::npos);
}
