#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <sstream>

using namespace backdrop;

namespace {

// How often kernels were called that had better not know.
int calls = 0;

// y = x times something else at each call, with the right derivative for none of them.
constinit const Op drifting_op{
    .name = "drifting",
    .inputs = {"x"},
    .infer = [](const Call& c) { return c.type(0); },
    .block =
        [](const Block& b) {
          const double factor = 1 + 1e-9 * ++calls;
          for (std::size_t k = 0; k < b.count; ++k) {
            static_cast<double*>(b.y)[k] = factor * static_cast<const double*>(b.x[0])[k];
          }
        },
    .vjp = {[](const Call&, Var g) { return g; }},
    .jvp = {[](const Call&, Var t) { return t; }},
};

// Noise that takes no key. It has no inputs, so a Program computes it once for each of its memories.
constinit const Op noise_op{
    .name = "noise",
    .infer =
        [](const Call& c) {
          return Type{DType::f64, c.tape.intern(Shape{3})};
        },
    .eval = [](const Eval& e) { std::fill_n(e.y.as<double>(), 3, 1. / ++calls); },
};

bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

const Tensor kX({1, 2, 3}, DType::f64);

constexpr CheckMode kModes[] = {CheckMode::full, CheckMode::directional, CheckMode::taylor,
                                CheckMode::dot_product, CheckMode::second_order};

}  // namespace

TEST_CASE("a function that draws its keys anew fails, and its first random node is named with both keys") {
  Keys keys(7);
  unsigned line = 0;
  const auto f = [&](Tape&, std::span<const Var> x) {
    const Var fixed = dropout(x[0] * x[1], 0.5, Key{3, 0});
    line = __builtin_LINE() + 1;
    const Var dropped = dropout(fixed, 0.5, keys.next());
    return sum(square(dropout(dropped, 0.5, keys.next())));
  };
  for (const CheckMode mode : kModes) {
    const Report report = gradcheck(f, {{"x", kX}, {"w", kX}}, {.mode = mode});
    CHECK_FALSE(report.passed());
    CHECK(report.exit_code() == 1);
    REQUIRE(report.inputs.size() == 2);
    CHECK(report.inputs[1].name == "w");
  }
  keys = Keys(7);
  const Key first = keys.next();
  keys.next();
  const Key again = keys.next();
  keys = Keys(7);
  const Report report = gradcheck(f, {{"x", kX}, {"w", kX}});
  const auto text = [](Key key) {
    return "Key{" + std::to_string(key.seed) + ", " + std::to_string(key.stream) + "}";
  };
  CHECK(report.no_function == "dropout_mask at purity_test.cpp:" + std::to_string(line) + " draws from " +
                                  text(first) + ", and from " + text(again) +
                                  " when it is recorded again; take the key outside of f");
  std::ostringstream printed;
  printed << report;
  CHECK(contains(printed.str(), "full: FAILED\n  this is no function: dropout_mask at purity_test.cpp:"));
  CHECK(contains(printed.str(), "again: gradcheck(f, {x, w}, {.mode = CheckMode::full, .feeds = ...})"));
  CHECK(contains(to_json(report), "\"passed\": false"));
  CHECK(contains(to_json(report), "\"no_function\": \"dropout_mask at purity_test.cpp:"));
}

TEST_CASE("a function whose keys are its own passes, with dropout on") {
  const auto f = [](Tape& tape, std::span<const Var> x) {
    const Var w = tape.variable("w", Tensor({0.5, 0.25, 0.125}, DType::f64));
    return tanh(dropout(x[0] * w + tape.input("b", {3}, DType::f64), 0.5, Key{3, 0}));
  };
  const Tensor b({0.1, 0.2, 0.3}, DType::f64);
  for (const CheckMode mode : kModes) {
    const Report report = gradcheck(f, {{"x", kX}}, {.mode = mode, .feeds = {{"b", b}}, .step = 1});
    INFO(to_string(report));
    CHECK(report.passed());
    CHECK(report.no_function.empty());
  }
  const Report wrong = gradcheck(
      [](Tape& tape, std::span<const Var> x) {
        return sum(x[0] * stop_gradient(x[0])) + 0 * sum(tape.constant(kX));
      },
      {{"x", kX}});
  CHECK(wrong.count(Verdict::fail) > 0);
}

TEST_CASE("a function that is another for another reason fails at the first node that is") {
  int turn = 0;
  const auto constant = [&](Tape& tape, std::span<const Var> x) {
    return sum(x[0] * tape.constant(Tensor::full({3}, ++turn, DType::f64)));
  };
  CHECK(
      contains(gradcheck(constant, {{"x", kX}}).no_function, "holds other values when it is recorded again"));
  const auto op = [&](Tape&, std::span<const Var> x) { return ++turn % 2 != 0 ? sin(x[0]) : cos(x[0]); };
  CHECK(contains(gradcheck(op, {{"x", kX}}).no_function, "is cos at purity_test.cpp:"));
  const auto attribute = [&](Tape&, std::span<const Var> x) { return scale(x[0], ++turn); };
  CHECK(contains(gradcheck(attribute, {{"x", kX}}).no_function, "has other attributes"));
  const auto unused = [&](Tape& tape, std::span<const Var> x) {
    tape.constant(Tensor::full({3}, ++turn));  // y does not need it
    return square(x[0]);
  };
  CHECK(gradcheck(unused, {{"x", kX}}).passed());
  const auto nothing = [](Tape& tape, std::span<const Var> x) { return x[0] + tape.constant(kX); };
  Tape tape;
  CHECK_THROWS_AS(gradcheck(nothing, {{"x", kX}}, {.given = {tape.variable("g", kX)}}), ValueError);
}

TEST_CASE("a kernel that gives other values in a second evaluation is found in every mode, and named") {
  Tape tape;
  const Var x = tape.variable("x", kX);
  const Var before = sin(x);
  const unsigned line = __builtin_LINE() + 1;
  const Var drifted = tape.record(drifting_op, {before}, {}, Where::here());
  const Var y = sum(exp(drifted));
  for (const CheckMode mode : kModes) {
    const Report report = gradcheck(y, {x}, {.mode = mode});
    CHECK_FALSE(report.passed());
    CHECK(report.exit_code() == 1);
    CHECK(contains(report.no_function,
                   "element 0 of drifting at purity_test.cpp:" + std::to_string(line) + " is "));
  }
  CHECK(gradcheck(sum(exp(before)), {x}).passed());
}

TEST_CASE("noise without a key is found, though no input moves it and a Program computes it once") {
  Tape tape;
  const Var x = tape.variable("x", kX);
  const Var noise = tape.record(noise_op, std::initializer_list<Var>{}, {}, Where::here());
  tape.set_name(noise, "n");
  const Report report = gradcheck(sum(square(x) * noise), {x});
  CHECK_FALSE(report.passed());
  CHECK(contains(report.no_function, "of n, noise at purity_test.cpp:"));
}
