#include <doctest/doctest.h>
#include <backdrop/graph/optimizer.hpp>

#include <array>
#include <backdrop/core/error.hpp>
#include <backdrop/graph/gradient.hpp>
#include <backdrop/ops/ops.hpp>
#include <cmath>
#include <limits>
#include <string>

using namespace backdrop;

namespace {

using Three = std::array<double, 3>;
using Optimizer = std::vector<Update> (*)(std::span<const Var> w, std::span<const Var> g, Var learning_rate);

// Four steps with a learning rate that changes: what the published numbers below were computed from.
constexpr std::array<Three, 4> kGradients{
    {{0.5, -1, 2}, {0.25, 0.75, -1.5}, {-1, 0, 0.125}, {3, -0.5, 1e-3}}};
constexpr std::array<double, 4> kRates{0.1, 0.05, 0.2, 0.01};

Tensor tensor_of(const Three& numbers, DType dtype) {
  return Tensor::from(std::span<const double>(numbers), Shape{3}).to(dtype);
}

// The weights {1, -2, 0.5} after the first `steps` of those steps.
Three after(std::size_t steps, Optimizer optimizer, DType dtype = DType::f64) {
  Tape tape;
  const Variable weight("w", tensor_of({1, -2, 0.5}, dtype));
  const Var w = tape.variable(weight);
  const Var g = tape.input("g", Shape{3}, dtype);
  const Var rate = tape.input("rate", {}, dtype);
  const Program step = compile(tape, {.outputs = {}, .updates = optimizer({&w, 1}, {&g, 1}, rate)});
  for (std::size_t k = 0; k < steps; ++k) {
    step.run({{"g", tensor_of(kGradients[k], dtype)}, {"rate", Tensor::scalar(kRates[k], dtype)}},
             {.step = static_cast<std::uint32_t>(k)});
  }
  return {weight.value().at(0), weight.value().at(1), weight.value().at(2)};
}

void check_close(const Three& found, const Three& expected, double tolerance = 1e-14) {
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK_MESSAGE(std::abs(found[k] - expected[k]) <= tolerance * std::abs(expected[k]),
                  "element " << k << ": " << found[k] << ", expected " << expected[k]);
  }
}

// A parameter, its gradient and a rate of the given types, recorded on a tape of their own.
struct Recorded {
  explicit Recorded(const Shape& gradient = Shape{3}, DType dtype = DType::f32, const Shape& rate_shape = {})
      : w(tape.variable("w", Tensor::ones(Shape{3}))),
        g(tape.input("g", gradient, dtype)),
        rate(tape.input("rate", rate_shape)) {}

  std::vector<Update> sgd_updates(const SgdOptions& options = {}) {
    return sgd({&w, 1}, {&g, 1}, rate, options);
  }
  std::vector<Update> adam_updates(const AdamOptions& options = {}) {
    return adam({&w, 1}, {&g, 1}, rate, options);
  }

  Tape tape;
  Var w, g, rate;
};

}  // namespace

TEST_CASE("sgd goes down the gradient by the learning rate of the step") {
  const Optimizer plain = [](auto w, auto g, Var rate) { return sgd(w, g, rate); };
  check_close(after(1, plain), {1 - 0.1 * 0.5, -2 + 0.1 * 1, 0.5 - 0.1 * 2});
  check_close(after(2, plain), {0.95 - 0.05 * 0.25, -1.9 - 0.05 * 0.75, 0.3 + 0.05 * 1.5});
  check_close(after(4, plain), {1.1075, -1.9325, 0.34998999999999997});
}

TEST_CASE("momentum remembers, and weight decay pulls towards zero") {
  const Optimizer momentum = [](auto w, auto g, Var rate) { return sgd(w, g, rate, {.momentum = 0.9}); };
  // v1 = g1; v2 = 0.9 g1 + g2
  check_close(after(2, momentum), {0.95 - 0.05 * 0.7, -1.9 + 0.05 * 0.15, 0.3 - 0.05 * 0.3});
  const Optimizer decay = [](auto w, auto g, Var rate) { return sgd(w, g, rate, {.weight_decay = 0.5}); };
  check_close(after(1, decay), {1 - 0.1 * (0.5 + 0.5), -2 + 0.1 * (1 + 1), 0.5 - 0.1 * (2 + 0.25)});
}

// torch 1.13.1: O.SGD(p, lr, momentum=.9, weight_decay=.1[, nesterov=True]), O.Adam and O.AdamW as said
// below, f64, with the gradients and rates above.
TEST_CASE("four steps agree with PyTorch") {
  check_close(after(4, [](auto w, auto g,
                          Var rate) { return sgd(w, g, rate, {.momentum = 0.9, .weight_decay = 0.1}); }),
              {0.888878616, -1.7111897319999998, 0.17374406299999995});
  check_close(after(4,
                    [](auto w, auto g, Var rate) {
                      return sgd(w, g, rate, {.momentum = 0.9, .weight_decay = 0.1, .nesterov = true});
                    }),
              {0.9777328429326001, -1.6103616971152, 0.05345313716555002});
  check_close(after(4, [](auto w, auto g, Var rate) { return adam(w, g, rate); }),
              {0.8898357008763899, -1.879038284772595, 0.3745271745321836});
  check_close(after(4,
                    [](auto w, auto g, Var rate) {  // betas=(.8, .95), eps=1e-3, weight_decay=.1
                      return adam(w, g, rate,
                                  {.beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.1});
                    }),
              {0.8792210123455754, -1.8280836258655708, 0.37877194724786506});
  check_close(after(4, [](auto w, auto g, Var rate) { return adamw(w, g, rate, {.weight_decay = 0.1}); }),
              {0.8577434468361952, -1.8105006083761597, 0.3594203897800296});
  check_close(after(4, [](auto w, auto g, Var rate) { return adamw(w, g, rate); }),
              {0.8865931669286133, -1.872116616282391, 0.3730003698812632});
}

TEST_CASE("in f32 four steps stay within single precision of the same numbers") {
  check_close(after(
                  4, [](auto w, auto g, Var rate) { return adam(w, g, rate); }, DType::f32),
              {0.8898357008763899, -1.879038284772595, 0.3745271745321836}, 1e-6);
}

TEST_CASE("adam's first step is the learning rate against the sign of the gradient") {
  // m' / (1-beta1) = g and v' / (1-beta2) = g^2, so the step is lr g / (|g| + epsilon).
  const Three w = after(1, [](auto p, auto g, Var rate) { return adam(p, g, rate, {.epsilon = 0.5}); });
  check_close(w, {1 - 0.1 * 0.5 / (0.5 + 0.5), -2 + 0.1 * 1 / (1 + 0.5), 0.5 - 0.1 * 2 / (2 + 0.5)});
}

TEST_CASE("adam with both betas 0 divides by the size of the present gradient alone") {
  const Three w = after(
      2, [](auto p, auto g, Var rate) { return adam(p, g, rate, {.beta1 = 0, .beta2 = 0, .epsilon = 0}); });
  check_close(w, {1 - 0.1 - 0.05, -2 + 0.1 - 0.05, 0.5 - 0.1 + 0.05});
}

TEST_CASE("what an optimiser remembers stands among the updates, named after the parameter") {
  Recorded r;
  std::vector<std::string> names;
  for (const Update& update : r.adam_updates()) names.push_back(update.variable.name());
  CHECK(names == std::vector<std::string>{"adam.count", "w", "w.adam.m", "w.adam.v"});
  CHECK(r.sgd_updates().size() == 1);
  CHECK(r.sgd_updates({.momentum = 0.5}).size() == 2);
}

TEST_CASE("no parameters give no updates") {
  Tape tape;
  const Var rate = tape.input("rate", {});
  CHECK(sgd({}, {}, rate).empty());
  CHECK(adam({}, {}, rate).empty());
  CHECK(clip_grad_norm({}, 1).empty());
}

TEST_CASE("a loss is driven to its minimum") {
  for (const bool with_adam : {false, true}) {
    Tape tape;
    const Variable weight("w", Tensor({3, -4}, DType::f64));
    const Var w = tape.variable(weight);
    const Var g = grad(sum(square(w - 1.0)), w);
    const Var rate = tape.constant(Tensor::scalar(0.1, DType::f64));
    const auto updates =
        with_adam ? adam({&w, 1}, {&g, 1}, rate) : sgd({&w, 1}, {&g, 1}, rate, {.momentum = 0.5});
    const Program step = compile(tape, {.outputs = {}, .updates = updates});
    for (std::uint32_t k = 0; k < 400; ++k) step.run({}, {.step = k});
    CHECK(weight.value().at(0) == doctest::Approx(1).epsilon(1e-3));
    CHECK(weight.value().at(1) == doctest::Approx(1).epsilon(1e-3));
  }
}

TEST_CASE("gradients longer than the limit are scaled together, shorter ones keep their bits") {
  Tape tape;
  const Var a = tape.constant(Tensor({3, 0}, DType::f32));
  const Var b = tape.constant(Tensor({{4}}, DType::f64));
  const std::vector<Var> gradients{a, b};  // together of length 5
  const std::vector<Var> half = clip_grad_norm(gradients, 2.5);
  CHECK(value(half[0]).same_bits(Tensor({1.5, 0}, DType::f32)));
  CHECK(value(half[1]).same_bits(Tensor({{2}}, DType::f64)));
  for (const double limit : {5.0, 100.0, std::numeric_limits<double>::infinity()}) {
    const std::vector<Var> whole = clip_grad_norm(gradients, limit);
    CHECK(value(whole[0]).same_bits(value(a)));
    CHECK(value(whole[1]).same_bits(value(b)));
  }
}

TEST_CASE("a gradient of zero is clipped to zero, not to NaN") {
  Tape tape;
  const Var none = tape.constant(Tensor::zeros(Shape{2}));
  CHECK(value(clip_grad_norm({&none, 1}, 1)[0]).same_bits(Tensor::zeros(Shape{2})));
}

TEST_CASE("an optimiser rejects what it cannot update") {
  Recorded r;
  const Var sum_of_both = r.w + r.g;
  CHECK_THROWS_AS(sgd({&sum_of_both, 1}, {&r.g, 1}, r.rate), GraphError);
  CHECK_THROWS_AS(adam({&r.g, 1}, {&r.g, 1}, r.rate), GraphError);
  CHECK_THROWS_AS(sgd({&r.w, 1}, {}, r.rate), ShapeError);
  CHECK_THROWS_AS(Recorded(Shape{2}).sgd_updates(), ShapeError);
  CHECK_THROWS_AS(Recorded(Shape{3}, DType::f64).adam_updates(), DTypeError);
  CHECK_THROWS_AS(Recorded(Shape{3}, DType::f32, Shape{3}).adam_updates(), ShapeError);
  CHECK_NOTHROW(Recorded(Shape{3}, DType::f32, Shape{1, 1}).adam_updates());
}

TEST_CASE("an optimiser that throws has recorded nothing") {
  Tape tape, other;
  const Var w = tape.variable("w", {1, 2}), rate = tape.constant(Tensor::scalar(0.1));
  const Var stranger = other.variable("w", {1, 2}), mask = tape.constant(Tensor::mask({1, 0}));
  const Var count = tape.variable("count", Tensor::from(std::vector<std::int64_t>{1, 2}, {2}));
  const std::size_t before = tape.size();
  CHECK_THROWS_AS(sgd({&w, 1}, {&stranger, 1}, rate, {.momentum = 0.9}), TapeError);
  CHECK_THROWS_AS(sgd({&stranger, 1}, {&stranger, 1}, rate), TapeError);
  CHECK_THROWS_AS(adam({&w, 1}, {&stranger, 1}, rate), TapeError);
  CHECK_THROWS_AS(adam({&count, 1}, {&count, 1}, rate), DTypeError);
  CHECK_THROWS_AS(clip_grad_norm(std::vector<Var>{w, stranger}, 1), TapeError);
  CHECK_THROWS_AS(clip_grad_norm(std::vector<Var>{w, mask}, 1), DTypeError);
  CHECK(tape.size() == before);
  CHECK(other.size() == 1);
}

TEST_CASE("options outside their range are rejected, NaN too") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Recorded r;
  for (const double bad : {-0.1, 1.0, nan}) {
    CHECK_THROWS_AS(r.sgd_updates({.momentum = bad}), ValueError);
    CHECK_THROWS_AS(r.adam_updates({.beta1 = bad}), ValueError);
    CHECK_THROWS_AS(r.adam_updates({.beta2 = bad}), ValueError);
  }
  for (const double bad : {-1e-9, nan}) {
    CHECK_THROWS_AS(r.sgd_updates({.weight_decay = bad}), ValueError);
    CHECK_THROWS_AS(r.adam_updates({.weight_decay = bad}), ValueError);
    CHECK_THROWS_AS(r.adam_updates({.epsilon = bad}), ValueError);
  }
  CHECK_THROWS_AS(r.sgd_updates({.nesterov = true}), ValueError);
  CHECK_THROWS_AS(clip_grad_norm({&r.g, 1}, 0), ValueError);
  CHECK_THROWS_AS(clip_grad_norm({&r.g, 1}, nan), ValueError);
}

TEST_CASE("gradients whose squares are too large for f32 are clipped to the norm as others are") {
  Tape tape;
  const Var g = tape.variable("g", {3e25, 4e25}), h = tape.variable("h", {0, 0});
  const std::vector<Var> clipped = clip_grad_norm(std::vector<Var>{g, h}, 10);
  CHECK(value(clipped[0]).at(0) == doctest::Approx(6));
  CHECK(value(clipped[0]).at(1) == doctest::Approx(8));
  CHECK(value(clipped[1]).at(0) == 0);
}
