#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <limits>

// The promise: fused dropout is scale(mul(x, mask), 1/(1-p)) to the last bit, in its value and in its
// derivatives of every kind, and both are what finite differences see.
using namespace backdrop;

namespace {

constexpr double kProbabilities[] = {0, .1, .25, 1. / 3, .5, .9, 1};
constexpr DType kDtypes[] = {DType::f32, DType::f64};

Tensor numbers(const Shape& shape, DType dtype, std::uint32_t stream) {
  std::vector<double> out(shape.numel());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<double>(random_block({11, stream}, 0, i)[0]) / 1073741824.0 - 2;
  }
  return Tensor::from(out, shape).to(dtype);
}

Var drawn(Tape& tape, const Shape& shape, double p) { return dropout_mask(tape, shape, p, Key{42, 3}); }

Var given(Tape& tape, const Shape& shape) {
  Tensor mask = Tensor::zeros(shape, DType::i64);
  for (std::size_t i = 0; i < shape.numel(); ++i) mask.mutable_data<std::int64_t>()[i] = i % 3 != 1 ? 1 : 0;
  return tape.constant(mask.to(DType::mask));
}

// Nothing is optimised away: each Var is computed by the kernels that it records.
std::vector<Tensor> as_recorded(Tape& tape, const std::vector<Var>& vars) {
  const Program program = compile(tape, {.outputs = vars, .updates = {}, .optimize = false});
  const Outputs run = program.run({}, {.step = 5});
  std::vector<Tensor> out;
  for (std::size_t k = 0; k < run.size(); ++k) out.push_back(run[k]);
  return out;
}

// What is compared, of one way to write dropout: b, J'g, J t, and the gradient of |J'(b^2)|^2.
std::vector<Var> derivatives(Var b, Var a, Var g, Var t) {
  const Var through_square = grad(sum(square(b)), a);
  return {b, vjp(b, a, g), jvp(b, a, t), grad(sum(square(through_square)), a), hvp(sum(square(b)), a, t)};
}

void check_bits(Tape& tape, Var a, double p, Var mask) {
  const Var whole = mask.shape() == a.shape() ? mask : broadcast_to(mask, a.shape());
  const Var g = tape.constant(numbers(a.shape(), a.dtype(), 1));
  const Var t = tape.constant(numbers(a.shape(), a.dtype(), 2));
  std::vector<Var> vars = derivatives(dropout(a, p, mask), a, g, t);
  const std::vector<Var> composed = derivatives(scale(mul(a, whole), keep_scale(p)), a, g, t);
  vars.insert(vars.end(), composed.begin(), composed.end());
  const std::vector<Tensor> values = as_recorded(tape, vars);
  for (std::size_t k = 0; k < composed.size(); ++k) {
    CAPTURE(k);
    CHECK(values[k].same_bits(values[k + composed.size()]));
  }
}

}  // namespace

TEST_CASE("fused dropout equals Mul and Scale bit for bit: value, vjp, jvp, second order") {
  for (const DType dtype : kDtypes) {
    for (const double p : kProbabilities) {
      for (const Shape& shape : {Shape{}, Shape{0}, Shape{1}, Shape{67}, Shape{5, 7}, Shape{40, 50}}) {
        INFO(to_string(dtype), " p ", p, " shape ", to_string(shape));
        Tape tape;
        const Var a = tape.constant(numbers(shape, dtype, 0));
        check_bits(tape, a, p, drawn(tape, shape, p));
        check_bits(tape, a, p, given(tape, shape));
      }
      Tape tape;
      const Var a = tape.constant(numbers({6, 9, 3}, dtype, 0));
      check_bits(tape, a, p, drawn(tape, {6, 1, 3}, p));
      check_bits(tape, a, p, given(tape, {9, 1}));
    }
  }
}

TEST_CASE("fused dropout equals Mul and Scale bit for bit at NaN, infinity, -0 and denormals") {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  const double tiny = std::numeric_limits<double>::denorm_min();
  const double tiny_f32 = double{std::numeric_limits<float>::denorm_min()};
  for (const DType dtype : kDtypes) {
    for (const double p : kProbabilities) {
      Tape tape;
      const Var a = tape.constant(Tensor({nan, inf, -inf, -0., tiny, tiny_f32, 1e308, nan, inf}, dtype));
      check_bits(tape, a, p, tape.constant(Tensor::mask({1, 1, 1, 1, 1, 1, 1, 0, 0})));
      check_bits(tape, a, p, tape.constant(Tensor::mask({0, 0, 0, 0, 0, 0, 0, 1, 1})));
    }
  }
}

TEST_CASE("the derivative of dropout is what finite differences see, in every entry") {
  for (const DType dtype : kDtypes) {
    for (const double p : kProbabilities) {
      INFO(to_string(dtype), " p ", p);
      Tape tape;
      const Var a = tape.variable("a", numbers({3, 5}, dtype, 0));
      for (const Var mask : {drawn(tape, {3, 5}, p), given(tape, {3, 5}), given(tape, {3, 1})}) {
        const Var b = dropout(a, p, mask);
        const FusedVsComposed table = fused_vs_composed(b, {.feeds = {}, .step = 5});
        INFO(to_string(table));
        CHECK(table.passed());
        CHECK(table.diagonal);
        CHECK(table.rows.size() == 15);
        for (const CheckMode mode : {CheckMode::full, CheckMode::taylor, CheckMode::dot_product}) {
          const Report report = gradcheck(square(b), {a}, {.mode = mode, .step = 5});
          INFO(to_string(report));
          CHECK(report.passed());
        }
      }
    }
  }
}

TEST_CASE("the local Jacobian of dropout is mask/(1-p): 0s and 2s at p = 1/2, and exactly 0 where dropped") {
  Tape tape;
  const Var a = tape.variable("a", numbers({64}, DType::f32, 0));
  const Var mask = drawn(tape, {64}, .5);
  const ValueOptions at{.feeds = {}, .step = 5};
  const Tensor kept = value(mask, at);
  const Tensor diagonal = local_jacobian(dropout(a, .5, mask), std::nullopt, at).values;
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    CHECK(diagonal.at(i) == 2 * kept.at(i));
    CHECK_FALSE(std::signbit(diagonal.at(i)));
    dropped += kept.at(i) == 0 ? 1 : 0;
  }
  CHECK(dropped > 16);
  CHECK(dropped < 48);
}

TEST_CASE(
    "a Taylor test tells 0/1 from 0/2: remainders fall as h with the bare mask, as h^2 with mask/(1-p)") {
  Tape tape;
  const Var a = tape.variable("a", numbers({8}, DType::f64, 0));
  const Var mask = tape.constant(Tensor::mask({1, 0, 1, 1, 0, 0, 1, 1}));
  const Var y = sum(square(dropout(a, .5, mask)));
  const Var slope = scale(dropout(a, .5, mask), 2);  // dy/db
  const Report right = gradcheck(y, {a}, {.mode = CheckMode::taylor, .given = {scale(mul(slope, mask), 2)}});
  const Report wrong = gradcheck(y, {a}, {.mode = CheckMode::taylor, .given = {mul(slope, mask)}});
  CHECK(right.passed());
  CHECK(right.trends[0].rate == doctest::Approx(2).epsilon(.01));
  CHECK_FALSE(wrong.passed());
  CHECK(wrong.trends[0].rate == doctest::Approx(1).epsilon(.01));
  const Report entries = gradcheck(y, {a}, {.given = {mul(slope, mask)}});
  CHECK_FALSE(entries.passed());
  REQUIRE_FALSE(entries.hints.empty());
  CHECK(entries.hints[0].find("0/1 mask") != std::string::npos);
}
