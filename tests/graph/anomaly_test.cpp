#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <limits>

using namespace backdrop;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Anomaly found(const Program& program, std::initializer_list<Feed> feeds, Anomalies anomalies,
              std::optional<std::uint32_t> step = {}) {
  try {
    program.run(feeds, {.step = step, .threads = 1, .anomalies = anomalies});
  } catch (const NonFiniteError& e) {
    CHECK(to_string(e.anomaly()) == e.what());
    return e.anomaly();
  }
  FAIL("nothing was found");
  return {};
}

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the first node that gave NaN is named, with its line, its region and the values around it") {
  Tape tape;
  const Var x = tape.input("x", {2, 3}), scaled = scale(x, 0.5);
  Var root;
  unsigned line = 0;
  {
    const auto outer = tape.scope("model");
    const auto inner = tape.scope("head");
    line = __builtin_LINE() + 1;
    root = sqrt(scaled);
  }
  tape.set_name(root, "root");
  const Program program = compile(tape, {.outputs = {sum(exp(root))}});
  const Anomaly a = found(program, {{x, Tensor({{2, 8, 18}, {32, -50, 72}})}}, Anomalies::nan, 7);
  CHECK(a.op == "sqrt");
  CHECK(a.name == "root");
  CHECK(a.scope == "model/head");
  CHECK(a.file == "anomaly_test.cpp");
  CHECK(a.line == line);
  CHECK_FALSE(a.derivative);
  CHECK_FALSE(a.leaf);
  CHECK(a.step == 7);
  CHECK(a.dtype == DType::f32);
  CHECK(a.shape == Shape{2, 3});
  CHECK(a.element == 4);
  CHECK(std::isnan(a.value));
  CHECK(a.not_finite == 1);
  CHECK(a.first_near == 2);
  REQUIRE(a.near.size() == 4);
  CHECK(a.near[0] == 3);
  CHECK(a.near[3] == 6);
  REQUIRE(a.operands.size() == 1);
  CHECK(a.operands[0].input == "x");
  CHECK(a.operands[0].value == -25.);  // though the kernel wrote the root over it
  CHECK(a.operands[0].least == -25);
  CHECK(a.operands[0].greatest == 36);
  const std::string text = to_string(a);
  CHECK(contains(text,
                 "at step 7: sqrt 'root' at anomaly_test.cpp:" + std::to_string(line) + " in model/head"));
  CHECK(contains(text, "gave nan at [1, 1]; f32 [2, 3]: 1 of 6 not finite"));
  CHECK(contains(text, "there: 3, 4, nan, 6, beginning at [0, 2]"));
  CHECK(contains(text, "x = scale at anomaly_test.cpp:"));
  CHECK(contains(text, "f32 [2, 3]: -25 there"));
}

TEST_CASE("an infinity is looked for only when asked, and passes on to NaN otherwise") {
  Tape tape;
  const Var x = tape.input("x", {3}, DType::f64);
  const Var large = exp(x), gone = sub(large, large);
  const Program program = compile(tape, {.outputs = {gone}});
  const Tensor at({1, 1000, 1}, DType::f64);
  CHECK(found(program, {{x, at}}, Anomalies::nan_or_inf).op == "exp");
  const Anomaly a = found(program, {{x, at}}, Anomalies::nan);
  CHECK(a.op == "sub");
  REQUIRE(a.operands.size() == 2);
  CHECK(a.operands[0].value == kInf);
  CHECK(a.operands[1].value == kInf);
  CHECK(a.operands[0].not_finite == 1);
  CHECK(a.operands[0].node == a.operands[1].node);
  CHECK(std::isnan(program.run({{x, at}})[0].at(1)));  // not looked at
  const Tensor fine({1, 2, 3}, DType::f64);
  CHECK(program.run({{x, fine}}, {.anomalies = Anomalies::nan_or_inf})[0].same_bits(
      program.run({{x, fine}})[0]));
}

TEST_CASE("leaves are named: feeds, Variables and constants") {
  Tape tape;
  const Var x = tape.input("x", {2});
  const Variable w("w", Tensor({1, 1}));
  const Var y = x * tape.variable(w);
  const Program program = compile(tape, {.outputs = {y}});
  const Anomaly fed = found(program, {{x, Tensor({1, -kInf})}}, Anomalies::nan_or_inf);
  CHECK(fed.leaf);
  CHECK(fed.op == "input");
  CHECK(fed.name == "x");
  CHECK(fed.element == 1);
  CHECK(fed.value == -kInf);
  CHECK(contains(to_string(fed), "what was fed to input 'x', recorded at anomaly_test.cpp:"));
  Variable(w).set(Tensor({kNaN, 1}));
  const Anomaly held = found(program, {{x, Tensor({1, -kInf})}}, Anomalies::nan);
  CHECK(held.op == "variable");
  CHECK(contains(to_string(held), "Variable 'w'"));
  const Var z = tape.constant(Tensor({1, kInf})) + full(tape, {2}, 1);
  CHECK(found(compile(tape, {.outputs = {z}}), {}, Anomalies::nan_or_inf).op == "constant");
  const Var filled = full(tape, {2}, kInf) + x;
  CHECK(found(compile(tape, {.outputs = {filled}}), {{x, Tensor({1, 1})}}, Anomalies::nan_or_inf).op ==
        "full");
}

TEST_CASE("what a derivative recorded is told from what the user did") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({4, 0, 9}, DType::f64));
  const unsigned line = __builtin_LINE() + 1;
  const Var root = sqrt(x);
  const Var g = grad(sum(root), x);
  try {
    value(g, {.anomalies = Anomalies::nan_or_inf});
    FAIL("nothing was found");
  } catch (const NonFiniteError& e) {
    CHECK(e.anomaly().derivative);
    CHECK(e.anomaly().op == "reciprocal");
    CHECK(e.anomaly().line == line);
    CHECK(e.anomaly().operands[0].value == 0.);
    CHECK(contains(e.what(),
                   "reciprocal, recorded by a derivative of anomaly_test.cpp:" + std::to_string(line)));
  }
  CHECK_FALSE(tape.node(root).derivative);
  const Rewrite again = fuse(expand(tape).tape());
  CHECK(again.tape().node(again.tape().size() - 1).derivative);
}

TEST_CASE("an operand of another size is described as a whole") {
  Tape tape;
  const Var a = tape.input("a", {2, 2}), b = tape.input("b", {2, 1});
  const Program program = compile(tape, {.outputs = {matmul(a, b)}});
  const Anomaly found_there =
      found(program, {{a, Tensor({{1, 2}, {3e38, 3e38}})}, {b, Tensor({{2}, {1}})}}, Anomalies::nan_or_inf);
  CHECK(found_there.op == "matmul");
  CHECK(found_there.element == 1);
  REQUIRE(found_there.operands.size() == 2);
  CHECK(found_there.operands[0].node == "a");
  CHECK_FALSE(found_there.operands[0].value);
  CHECK(found_there.operands[0].least == 1);
  CHECK(found_there.operands[0].greatest == doctest::Approx(3e38));
  CHECK(found_there.operands[1].shape == Shape{2, 1});
  CHECK(contains(to_string(found_there), "a = a, f32 [2, 2]: between 1 and 3e+38, 0 not finite"));
  CHECK(contains(to_string(found_there), "b = b, f32 [2, 1]: between 1 and 2, 0 not finite"));
}

TEST_CASE("a node of an opened composite says what it is part of") {
  static constinit const Op half_log_op{
      .name = "half_log",
      .inputs = {"x"},
      .infer = [](const Call& c) { return c.type(0); },
      .body = [](const Call& c) { return scale(log(c[0]), 0.5); },
  };
  Tape tape;
  const Var x = tape.variable("x", Tensor({1, -1}));
  const unsigned line = __builtin_LINE() + 1;
  const Var y = tape.record(half_log_op, {x}, {}, Where::here());
  const Anomaly a = found(compile(tape, {.outputs = {y}}), {}, Anomalies::nan);
  CHECK(a.op == "log");
  CHECK(a.part_of == "half_log");
  CHECK(a.line == line);
}

TEST_CASE("a run that throws publishes nothing, gives its memory back, and the next run is as ever") {
  Tape tape;
  Variable w("w", Tensor({1, 2}));
  const Var x = tape.input("x", {2}), next = log(tape.variable(w) * x);
  const Program step = compile(tape, {.outputs = {next}, .updates = {{w, next}}});
  const RunOptions looking{.threads = 1, .anomalies = Anomalies::nan};
  for (int k = 0; k < 3; ++k) {
    CHECK_THROWS_AS(step.run({{x, Tensor({1, -1})}}, looking), NonFiniteError);
    CHECK(w.value().same_bits(Tensor({1, 2})));
  }
  const Tensor out = step.run({{x, Tensor({3, 3})}}, looking)[0];
  CHECK(out.at(0) == doctest::Approx(std::log(3.)));
  CHECK(w.value().same_bits(out));
}
