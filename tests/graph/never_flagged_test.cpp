#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

// Right derivatives pass: random graphs with dropout, kinks, and inputs of any size.
using namespace backdrop;

namespace {

template <class F>
void each(const Block& b, F f) {
  for (std::size_t k = 0; k < b.count; ++k) {
    if (b.dtype() == DType::f32) {
      static_cast<float*>(b.y)[k] = f(static_cast<const float*>(b.x[0])[k]);
    } else {
      static_cast<double*>(b.y)[k] = f(static_cast<const double*>(b.x[0])[k]);
    }
  }
}
Type like_x(const Call& c) { return c.type(0); }
Var apply(const Op& op, Var x) { return x.tape().record(op, {x}, {}, Where::here()); }

extern const Op sine, cosine;
constinit const Op sine{
    .name = "sine",
    .inputs = {"x"},
    .infer = like_x,
    .block = [](const Block& b) { each(b, [](auto x) { return std::sin(x); }); },
    .derivative = {[](const Call& c) { return apply(cosine, c[0]); }},
};
constinit const Op cosine{
    .name = "cosine",
    .inputs = {"x"},
    .infer = like_x,
    .block = [](const Block& b) { each(b, [](auto x) { return std::cos(x); }); },
    .derivative = {[](const Call& c) { return scale(apply(sine, c[0]), -1); }},
};
constinit const Op exponential{
    .name = "exponential",
    .inputs = {"x"},
    .infer = like_x,
    .block = [](const Block& b) { each(b, [](auto x) { return std::exp(x); }); },
    .derivative = {[](const Call& c) { return c.y; }},
};
// 1 where x > 0
constinit const Op positive{
    .name = "positive",
    .inputs = {"x"},
    .infer = like_x,
    .block = [](const Block& b) { each(b, [](auto x) { return static_cast<decltype(x)>(x > 0); }); },
    .derivative = {[](const Call& c) { return full_like(c[0], 0); }},
};
constinit const Op ramp{
    .name = "ramp",
    .inputs = {"x"},
    .infer = like_x,
    .block = [](const Block& b) { each(b, [](auto x) { return x > 0 ? x : decltype(x){0}; }); },
    .derivative = {[](const Call& c) { return apply(positive, c[0]); }},
};
// The wrong side of the kink, and a wrong slope on the right one.
constinit const Op ramp_too_steep{
    .name = "ramp_too_steep",
    .inputs = {"x"},
    .infer = like_x,
    .block = [](const Block& b) { each(b, [](auto x) { return x > 0 ? x : decltype(x){0}; }); },
    .derivative = {[](const Call& c) { return add(apply(positive, c[0]), 1.5); }},
};

class Dice {
 public:
  explicit Dice(std::uint32_t seed) : seed_(seed) {}
  std::uint32_t below(std::uint32_t n) { return random_block({seed_, 9}, 0, block_++)[0] % n; }
  double real() { return static_cast<double>(random_block({seed_, 9}, 0, block_++)[0]) / 1073741824.0 - 2; }

 private:
  std::uint64_t seed_, block_ = 0;
};

// A dozen random ops on [2, 3] values, every one of them used somewhere.
struct RandomGraph {
  explicit RandomGraph(std::uint32_t seed) {
    Dice dice(seed);
    const DType dtype = dice.below(2) == 0 ? DType::f32 : DType::f64;
    const auto numbers = [&](const Shape& shape) {
      std::vector<double> out(shape.numel());
      for (double& number : out) number = dice.real();
      return Tensor::from(out, shape).to(dtype);
    };
    inputs = {tape.variable("a", numbers({2, 3})), tape.variable("b", numbers({2, 3})),
              tape.variable("row", numbers({3}))};
    std::vector<Var> pool{inputs[0], inputs[1], broadcast_to(inputs[2], {2, 3})};
    for (std::uint32_t k = 0; k < 8; ++k) {
      const Var u = pool[dice.below(static_cast<std::uint32_t>(pool.size()))];
      const Var v = pool[dice.below(static_cast<std::uint32_t>(pool.size()))];
      pool.push_back(one(dice, u, v, k));
    }
    Var total = pool[3];
    for (std::size_t k = 4; k < pool.size(); ++k) total = add(total, pool[k]);
    y = dice.below(2) == 0 ? total : sum(total);
  }

  static Var one(Dice& dice, Var u, Var v, std::uint32_t stream) {
    switch (dice.below(9)) {
      case 0:
        return add(u, v);
      case 1:
        return mul(apply(sine, u), v);
      case 2:
        return scale(u, dice.real());
      case 3:
        return square(apply(sine, u));
      case 4:
        return dropout(u, .1 * dice.below(11), Key{dice.below(1000), stream});
      case 5:
        return apply(sine, u);
      case 6:
        return apply(exponential, scale(apply(cosine, u), .5));
      case 7:
        return apply(ramp, u);
      default:
        return broadcast_to(sum(u, {0}), {2, 3});
    }
  }

  Tape tape;
  std::vector<Var> inputs;
  Var y;
};

}  // namespace

TEST_CASE("random graphs with dropout, of ops of a user's own, pass in every mode") {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    RandomGraph graph(seed);
    for (const CheckMode mode : {CheckMode::full, CheckMode::directional, CheckMode::taylor,
                                 CheckMode::dot_product, CheckMode::second_order}) {
      const Report report = gradcheck(graph.y, graph.inputs, {.mode = mode, .step = seed});
      INFO("seed ", seed, "\n", to_string(report));
      CHECK(report.passed());
    }
    CHECK(gradcheck(graph.y, graph.inputs, {.step = seed, .forward = true}).passed());
  }
}

TEST_CASE("inputs of size 1e8 and 1e-8, together, pass") {
  for (const double size : {1e-8, 1e-3, 1., 1e3, 1e8}) {
    Tape tape;
    const Var x = tape.variable("x", Tensor({1.5 * size, -2 * size, 3 * size}, DType::f64));
    const Var w = tape.variable("w", Tensor({2 / size, 5 / size, -1 / size}, DType::f64));
    const Report report = gradcheck(mul(apply(sine, mul(x, w)), x), {x, w});
    INFO("size ", size, "\n", to_string(report));
    CHECK(report.passed());
  }
  Tape tape;
  const Var x = tape.variable("x", Tensor({1e8, 1e-8, 3, -1e-4}, DType::f64));
  const Report report = gradcheck(square(x), {x});
  INFO(to_string(report));
  CHECK(report.passed());
}

TEST_CASE("a function that bends on a smaller scale than its input shows passes") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({1, 2, 3}, DType::f64));
  for (const double frequency : {30., 1000., 1e5}) {
    const Report report = gradcheck(apply(sine, scale(x, frequency)), {x});
    INFO("frequency ", frequency, "\n", to_string(report));
    CHECK(report.passed());
  }
}

TEST_CASE("at a kink any slope between those on its sides is accepted, and is called a kink") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({0, 1, -1, 2}, DType::f64));
  const Report report = gradcheck(apply(ramp, x), {x});
  INFO(to_string(report));
  CHECK(report.passed());
  CHECK(report.count(Verdict::kink) == 1);
  const Report wrong = gradcheck(apply(ramp_too_steep, x), {x});
  INFO(to_string(wrong));
  CHECK(wrong.count(Verdict::fail) == 4);
  CHECK(wrong.count(Verdict::kink) == 0);
}

TEST_CASE("a kink beside the point is stepped around") {
  for (const double distance : {1e-2, 1e-4, 1e-6}) {
    Tape tape;
    const Var x = tape.variable("x", Tensor({1 + distance, 1 - distance, 1}, DType::f64));
    const Var y = apply(ramp, add(x, -1.));
    const Report report = gradcheck(y, {x});
    INFO("distance ", distance, "\n", to_string(report));
    CHECK(report.passed());
    CHECK(report.count(Verdict::kink) == 1);
    // With the slopes of either side swapped, nothing is forgiven.
    const Var swapped = tape.constant(Tensor({{0, 0, 0}, {0, 1, 0}, {0, 0, 0}}, DType::f64));
    CHECK(gradcheck(y, {x}, {.given = {swapped}}).count(Verdict::fail) == 2);
  }
}

TEST_CASE("a linear function is told as linear by the Taylor test") {
  Tape tape;
  const Var x = tape.variable("x", {1.0, 2.0, 3.0, 4.0});
  const Var y = dropout(x, .5, tape.constant(Tensor::mask({1, 0, 1, 1})));
  const Report report = gradcheck(y, {x}, {.mode = CheckMode::taylor});
  CHECK(report.passed());
  for (const Report::Trend& trend : report.trends) CHECK(trend.linear);
}

TEST_CASE("an input that y does not depend on passes with zeros") {
  Tape tape;
  const Var x = tape.variable("x", {1.0, 2.0});
  const Var other = tape.variable("other", {1.0, 2.0});
  const Report report = gradcheck(square(x), {x, other});
  CHECK(report.passed());
  CHECK(report.inputs[1].count[0] == 4);
}

TEST_CASE("a check changes no Variable, no tape, and reads feeds at the step given") {
  Tape tape;
  const Variable w("w", Tensor({1, 2, 3}));
  const Var x = tape.input("x", {3});
  const Var y = square(mul(dropout(x, .5, Key{3, 0}), tape.variable(w)));
  const Tensor before = w.value();
  const std::size_t size = tape.size();
  const Report report = gradcheck(y, {x, tape.variable(w)}, {.feeds = {{x, Tensor({4, 5, 6})}}, .step = 2});
  CHECK(report.passed());
  CHECK(w.value().same_bits(before));
  CHECK(tape.size() == size);
  CHECK_THROWS_WITH_AS(gradcheck(y, {x}), doctest::Contains("'x'"), GraphError);
}

TEST_CASE("without promotion an f32 recording is checked as it stands") {
  Tape tape;
  const Var x = tape.variable("x", {1.0, -2.0, 3.0});
  const Report report = gradcheck(square(apply(sine, x)), {x}, {.promote = false});
  INFO(to_string(report));
  CHECK(report.passed());
}
