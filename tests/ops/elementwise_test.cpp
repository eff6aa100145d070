#include <doctest/doctest.h>
#include <backdrop/backdrop.hpp>
#include <cmath>
#include <functional>
#include <string>

#include "ops/evaluate.hpp"

using namespace backdrop;

namespace {

struct Function {
  std::string name;
  std::function<Var(Var)> op;
  std::function<double(double)> exact;  // the function itself
  std::vector<double> points;           // where it is smooth
};

const std::vector<double> kAnywhere = {-2.5, -0.7, -1e-3, 1e-3, 0.4, 1.9};
const std::vector<double> kWithinOne = {-0.9, -0.7, -1e-3, 1e-3, 0.4, 0.9};
const std::vector<double> kPositive = {1e-3, 0.4, 1, 1.9, 30};

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

const std::vector<Function> kFunctions = {
    {"exp", [](Var x) { return exp(x); }, [](double x) { return std::exp(x); }, kAnywhere},
    {"expm1", [](Var x) { return expm1(x); }, [](double x) { return std::expm1(x); }, kAnywhere},
    {"log", [](Var x) { return log(x); }, [](double x) { return std::log(x); }, kPositive},
    {"log1p", [](Var x) { return log1p(x); }, [](double x) { return std::log1p(x); }, kPositive},
    {"sin", [](Var x) { return sin(x); }, [](double x) { return std::sin(x); }, kAnywhere},
    {"cos", [](Var x) { return cos(x); }, [](double x) { return std::cos(x); }, kAnywhere},
    {"erf", [](Var x) { return erf(x); }, [](double x) { return std::erf(x); }, kAnywhere},
    {"erfc", [](Var x) { return erfc(x); }, [](double x) { return std::erfc(x); }, kAnywhere},
    {"tanh", [](Var x) { return tanh(x); }, [](double x) { return std::tanh(x); }, kAnywhere},
    {"sigmoid", [](Var x) { return sigmoid(x); }, sigmoid_of, kAnywhere},
    {"softplus", [](Var x) { return softplus(x); }, [](double x) { return std::log(1 + std::exp(x)); },
     kAnywhere},
    {"log_sigmoid", [](Var x) { return log_sigmoid(x); }, [](double x) { return std::log(sigmoid_of(x)); },
     kAnywhere},
    {"relu", [](Var x) { return relu(x); }, [](double x) { return std::max(x, 0.0); }, kAnywhere},
    {"leaky_relu", [](Var x) { return leaky_relu(x, 0.1); }, [](double x) { return x > 0 ? x : 0.1 * x; },
     kAnywhere},
    {"elu", [](Var x) { return elu(x, 0.5); }, [](double x) { return x > 0 ? x : 0.5 * std::expm1(x); },
     kAnywhere},
    {"silu", [](Var x) { return silu(x); }, [](double x) { return x * sigmoid_of(x); }, kAnywhere},
    {"gelu", [](Var x) { return gelu(x); },
     [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); }, kAnywhere},
    {"gelu_tanh", [](Var x) { return gelu_tanh(x); },
     [](double x) {
       const double u = std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x);
       return x / 2 * (1 + std::tanh(u));
     },
     kAnywhere},
    {"clip", [](Var x) { return clip(x, -0.5, 1.5); },
     [](double x) { return std::min(std::max(x, -0.5), 1.5); }, kAnywhere},
    {"sqrt", [](Var x) { return sqrt(x); }, [](double x) { return std::sqrt(x); }, kPositive},
    {"rsqrt", [](Var x) { return rsqrt(x); }, [](double x) { return 1 / std::sqrt(x); }, kPositive},
    {"reciprocal", [](Var x) { return reciprocal(x); }, [](double x) { return 1 / x; }, kPositive},
    {"pow", [](Var x) { return pow(x, 2.5); }, [](double x) { return std::pow(x, 2.5); }, kPositive},
    {"cube", [](Var x) { return pow(x, 3); }, [](double x) { return x * x * x; }, kAnywhere},
    {"abs", [](Var x) { return abs(x); }, [](double x) { return std::abs(x); }, kAnywhere},
    {"sign", [](Var x) { return sign(x); }, [](double x) { return x > 0 ? 1.0 : -1.0; }, kAnywhere},
    {"log2", [](Var x) { return log2(x); }, [](double x) { return std::log2(x); }, kPositive},
    {"log10", [](Var x) { return log10(x); }, [](double x) { return std::log10(x); }, kPositive},
    {"logaddexp", [](Var x) { return logaddexp(x, 1); },
     [](double x) { return std::log(std::exp(x) + std::exp(1.0)); }, kAnywhere},
    {"tan", [](Var x) { return tan(x); }, [](double x) { return std::tan(x); }, kAnywhere},
    {"asin", [](Var x) { return asin(x); }, [](double x) { return std::asin(x); }, kWithinOne},
    {"acos", [](Var x) { return acos(x); }, [](double x) { return std::acos(x); }, kWithinOne},
    {"atan", [](Var x) { return atan(x); }, [](double x) { return std::atan(x); }, kAnywhere},
    {"atan2", [](Var x) { return atan2(x, -2.0); }, [](double x) { return std::atan2(x, -2.0); }, kAnywhere},
    {"hypot", [](Var x) { return hypot(x, 2); }, [](double x) { return std::hypot(x, 2); }, kAnywhere},
    {"sinh", [](Var x) { return sinh(x); }, [](double x) { return std::sinh(x); }, kAnywhere},
    {"cosh", [](Var x) { return cosh(x); }, [](double x) { return std::cosh(x); }, kAnywhere},
    {"asinh", [](Var x) { return asinh(x); }, [](double x) { return std::asinh(x); }, kAnywhere},
    {"acosh", [](Var x) { return acosh(x + 2); }, [](double x) { return std::acosh(x + 2); }, kPositive},
    {"atanh", [](Var x) { return atanh(x); }, [](double x) { return std::atanh(x); }, kWithinOne},
    {"lgamma", [](Var x) { return lgamma(x); }, [](double x) { return std::lgamma(x); }, kPositive},
    {"floor", [](Var x) { return floor(x); }, [](double x) { return std::floor(x); }, kAnywhere},
    {"ceil", [](Var x) { return ceil(x); }, [](double x) { return std::ceil(x); }, kAnywhere},
    {"round", [](Var x) { return round(x); }, [](double x) { return std::round(x); }, kWithinOne},
    {"celu", [](Var x) { return celu(x, 0.5); },
     [](double x) { return x > 0 ? x : 0.5 * std::expm1(x / 0.5); }, kAnywhere},
    {"selu", [](Var x) { return selu(x); },
     [](double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * std::expm1(x)); },
     kAnywhere},
    {"mish", [](Var x) { return mish(x); }, [](double x) { return x * std::tanh(std::log1p(std::exp(x))); },
     kAnywhere},
    {"softsign", [](Var x) { return softsign(x); }, [](double x) { return x / (1 + std::abs(x)); },
     kAnywhere},
    {"tanhshrink", [](Var x) { return tanhshrink(x); }, [](double x) { return x - std::tanh(x); }, kAnywhere},
    {"hardtanh", [](Var x) { return hardtanh(x, -0.5, 1.5); },
     [](double x) { return std::min(std::max(x, -0.5), 1.5); }, kAnywhere},
    {"relu6", [](Var x) { return relu6(4 * x); },
     [](double x) { return std::min(std::max(4 * x, 0.0), 6.0); }, kAnywhere},
    {"hardsigmoid", [](Var x) { return hardsigmoid(2 * x); },
     [](double x) { return std::min(std::max(2 * x + 3, 0.0), 6.0) / 6; }, kAnywhere},
    {"hardswish", [](Var x) { return hardswish(2 * x); },
     [](double x) { return 2 * x * std::min(std::max(2 * x + 3, 0.0), 6.0) / 6; }, kAnywhere},
    {"softshrink", [](Var x) { return softshrink(x); },
     [](double x) { return x > 0.5    ? x - 0.5
                           : x < -0.5 ? x + 0.5
                                      : 0; }, kAnywhere},
    {"hardshrink", [](Var x) { return hardshrink(x); }, [](double x) { return std::abs(x) > 0.5 ? x : 0; },
     kAnywhere},
    {"neg", [](Var x) { return -x; }, [](double x) { return -x; }, kAnywhere},
};

// The derivative of f at x by central differences, extrapolated once: error of order h^4.
double difference(const std::function<double(double)>& f, double x) {
  const double h = 2e-4 * std::max(std::abs(x), 1.0 / 1024);
  const auto slope = [&](double step) { return (f(x + step) - f(x - step)) / (2 * step); };
  return (4 * slope(h) - slope(2 * h)) / 3;
}

}  // namespace

TEST_CASE("elementwise functions agree with the C library in f64 and in f32") {
  for (const Function& f : kFunctions) {
    CAPTURE(f.name);
    const auto y64 = results(f.op, vector_of(f.points, DType::f64));
    const auto y32 = results(f.op, vector_of(f.points, DType::f32));
    for (std::size_t k = 0; k < f.points.size(); ++k) {
      const double x = f.points[k];
      const double rounded = static_cast<double>(static_cast<float>(x));
      CAPTURE(x);
      CHECK(y64[k] == doctest::Approx(f.exact(x)).epsilon(1e-13).scale(1e-3));
      CHECK(y32[k] == doctest::Approx(f.exact(rounded)).epsilon(2e-6).scale(1e-3));
    }
  }
}

TEST_CASE("the derivative of an elementwise function is its slope, in both modes") {
  for (const Function& f : kFunctions) {
    CAPTURE(f.name);
    const auto [reverse, forward] = slopes(f.op, vector_of(f.points));
    for (std::size_t k = 0; k < f.points.size(); ++k) {
      CAPTURE(f.points[k]);
      CHECK(reverse[k] == doctest::Approx(difference(f.exact, f.points[k])).epsilon(1e-7));
      CHECK(forward[k] == doctest::Approx(reverse[k]).epsilon(1e-14));
    }
  }
}

TEST_CASE("the second derivative of an elementwise function is the slope of its first") {
  for (const Function& f : kFunctions) {
    CAPTURE(f.name);
    const auto first = [&](Var x) { return grad(sum(f.op(x)), x); };
    const auto [reverse, forward] = slopes(first, vector_of(f.points));
    for (std::size_t k = 0; k < f.points.size(); ++k) {
      const auto slope_at = [&](double x) { return slopes(f.op, vector_of({x})).first[0]; };
      CAPTURE(f.points[k]);
      CHECK(reverse[k] == doctest::Approx(difference(slope_at, f.points[k])).epsilon(1e-6));
      CHECK(forward[k] == doctest::Approx(reverse[k]).epsilon(1e-12));
    }
  }
}

TEST_CASE("elementwise functions pass NaN on") {
  for (const Function& f : kFunctions) {
    CAPTURE(f.name);
    CHECK(std::isnan(results(f.op, Tensor({kNaN}, DType::f32))[0]));
    CHECK(std::isnan(results(f.op, Tensor({kNaN}, DType::f64))[0]));
  }
}

TEST_CASE("elementwise functions take f32 and f64 only") {
  for (const Function& f : kFunctions) {
    CAPTURE(f.name);
    Tape tape;
    const Var integers = tape.constant(Tensor({1, 2}, DType::i64));
    const Var mask = tape.constant(Tensor::mask({1, 0}));
    const std::size_t size = tape.size();
    CHECK_THROWS_AS(f.op(integers), DTypeError);
    CHECK_THROWS_AS(f.op(mask), DTypeError);
    CHECK(tape.size() == size);
  }
}

TEST_CASE("saturating functions reach their limits without passing through NaN") {
  for (DType dtype : {DType::f32, DType::f64}) {
    const Tensor far({-kInf, -1e30, -800, 800, 1e30, kInf}, dtype);
    const double big = dtype == DType::f32 ? static_cast<double>(1e30F) : 1e30;
    using Numbers = std::vector<double>;
    CHECK(results([](Var x) { return sigmoid(x); }, far) == Numbers{0, 0, 0, 1, 1, 1});
    CHECK(results([](Var x) { return tanh(x); }, far) == Numbers{-1, -1, -1, 1, 1, 1});
    CHECK(results([](Var x) { return erf(x); }, far) == Numbers{-1, -1, -1, 1, 1, 1});
    CHECK(results([](Var x) { return softplus(x); }, far) == Numbers{0, 0, 0, 800, big, kInf});
    CHECK(results([](Var x) { return log_sigmoid(x); }, far) == Numbers{-kInf, -big, -800, 0, 0, 0});
    CHECK(results([](Var x) { return elu(x); }, far) == Numbers{-1, -1, -1, 800, big, kInf});
    CHECK(results([](Var x) { return relu(x); }, far) == Numbers{0, 0, 0, 800, big, kInf});
    CHECK(results([](Var x) { return celu(x); }, far) == Numbers{-1, -1, -1, 800, big, kInf});
    CHECK(results([](Var x) { return hardtanh(x); }, far) == Numbers{-1, -1, -1, 1, 1, 1});
    CHECK(results([](Var x) { return softsign(x); }, Tensor({-kInf, -1e30, 1e30, kInf}, dtype)) ==
          Numbers{-1, -1, 1, 1});
    for (auto f : {silu, gelu, gelu_tanh, mish, hardswish}) {
      CHECK(results([f](Var x) { return f(x, Where::here()); }, far) == Numbers{0, 0, 0, 800, big, kInf});
    }
    CHECK(results([](Var x) { return logaddexp(x, x); }, Tensor({-kInf, kInf}, dtype)) ==
          Numbers{-kInf, kInf});
    CHECK(results([](Var x) { return logaddexp(x, -kInf); }, far) == numbers(far));
    for (auto f : {sigmoid, softplus, log_sigmoid, tanh, hardsigmoid}) {
      for (double slope : slopes([f](Var x) { return f(x, Where::here()); }, far).first) {
        CHECK((slope == 0 || slope == 1));
      }
    }
  }
}

TEST_CASE("small results keep their digits") {
  const double tiny = 1e-20;
  CHECK(results([](Var x) { return expm1(x); }, vector_of({tiny}))[0] == tiny);
  CHECK(results([](Var x) { return log1p(x); }, vector_of({tiny}))[0] == tiny);
  CHECK(results([](Var x) { return sigmoid(x); }, vector_of({-700}))[0] == std::exp(-700.0));
  CHECK(results([](Var x) { return softplus(x); }, vector_of({-700}))[0] == std::exp(-700.0));
  CHECK(results([](Var x) { return gelu(x); }, vector_of({-10}))[0] ==
        doctest::Approx(-5 * std::erfc(10 / std::sqrt(2.0))).epsilon(1e-13));
}

TEST_CASE("at points without a derivative the documented value is taken") {
  using Numbers = std::vector<double>;
  const Tensor zero_twice = vector_of({0.0, -0.0});
  CHECK(slopes([](Var x) { return relu(x); }, zero_twice).first == Numbers{0, 0});
  CHECK(slopes([](Var x) { return leaky_relu(x, 0.25); }, zero_twice).first == Numbers{0.25, 0.25});
  CHECK(slopes([](Var x) { return elu(x, 0.25); }, zero_twice).first == Numbers{0.25, 0.25});
  CHECK(slopes([](Var x) { return abs(x); }, zero_twice).first == Numbers{0, 0});
  CHECK(slopes([](Var x) { return sign(x); }, zero_twice).first == Numbers{0, 0});
  CHECK(slopes([](Var x) { return sqrt(x); }, vector_of({0})).first == Numbers{kInf});
  CHECK(slopes([](Var x) { return celu(x, 0.25); }, zero_twice).first == Numbers{1, 1});
  CHECK(slopes([](Var x) { return hardtanh(x, -1, 2); }, vector_of({-1, 2, 0})).first == Numbers{0, 0, 1});
  CHECK(slopes([](Var x) { return relu6(x); }, vector_of({0, 6, 3})).first == Numbers{0, 0, 1});
  CHECK(slopes([](Var x) { return hardsigmoid(x); }, vector_of({-3, 3})).first == Numbers{0, 0});
  CHECK(slopes([](Var x) { return hardswish(x); }, vector_of({-3, 3})).first == Numbers{0, 1});
  CHECK(slopes([](Var x) { return softshrink(x, 1); }, vector_of({-1, 1, 2})).first == Numbers{0, 0, 1});
  CHECK(slopes([](Var x) { return hardshrink(x, 1); }, vector_of({-1, 1, 2})).first == Numbers{0, 0, 1});
  CHECK(slopes([](Var x) { return asin(x); }, vector_of({-1, 1})).first == Numbers{kInf, kInf});
  const auto none = slopes2([](Var a, Var b) { return hypot(a, b); }, vector_of({0}), vector_of({0}));
  CHECK(none.first == Numbers{0});
  CHECK(none.second == Numbers{0});
  CHECK(slopes([](Var x) { return clip(x, -1, 2); }, vector_of({-1, 2, -1.5, 2.5})).first ==
        Numbers{1, 1, 0, 0});
}

TEST_CASE("at 0 the second derivative of elu and celu is that of the left side") {
  const auto second = [](auto f) {
    return slopes([f](Var x) { return grad(sum(f(x)), x); }, vector_of({0.0, -0.0})).first;
  };
  CHECK(second([](Var x) { return elu(x, 0.25); }) == std::vector<double>{0.25, 0.25});
  CHECK(second([](Var x) { return celu(x, 0.25); }) == std::vector<double>{4, 4});
}

TEST_CASE("halves are rounded to the even integer") {
  const Tensor x({-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1e300}, DType::f64);
  CHECK(results([](Var v) { return round(v); }, x) == std::vector<double>{-2, -2, 0, 0, 2, 2, 1e300});
}

TEST_CASE("an angle and a length in every quadrant, without overflow") {
  const Tensor a({1, 1, -1, 3e200}, DType::f64), b({1, -1, -1, 4e200}, DType::f64);
  const auto y = results([](Var p, Var q) { return atan2(p, q); }, a, b);
  for (std::size_t k = 0; k < 4; ++k) CHECK(y[k] == std::atan2(a.at(k), b.at(k)));
  CHECK(results([](Var p, Var q) { return hypot(p, q); }, a, b)[3] == doctest::Approx(5e200));
  const auto [by_a, by_b] = slopes2([](Var p, Var q) { return atan2(p, q); }, a, b);
  CHECK(by_a[3] == doctest::Approx(4 / 25.0 * 1e-200));
  CHECK(by_b[1] == doctest::Approx(-0.5));
}

TEST_CASE("clip between a number and itself is constant: its derivative is 0 there too") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const auto flat = [](Var x) { return clip(x, 0.5, 0.5); };
    CHECK(slopes(flat, vector_of({0, 0.5, 1}, dtype)).first == std::vector<double>{0, 0, 0});
    const auto nearly = [](Var x) { return clip(x, 0.5, 0.5 + 0x1p-40); };  // one number of f32
    CHECK(slopes(nearly, vector_of({0.5}, dtype)).first[0] == (dtype == DType::f32 ? 0 : 1));
  }
  Tape tape;
  const Var x = tape.variable("x", Tensor({0.5}, DType::f64));
  CHECK(gradcheck(clip(x, 0.5, 0.5), {x}).passed());
}

TEST_CASE("clip takes bounds in order only, infinite ones too") {
  Tape tape;
  const Var x = tape.constant(Tensor({-1, 5}));
  const std::size_t size = tape.size();
  CHECK_THROWS_AS(clip(x, 2, 1), ValueError);
  CHECK_THROWS_AS(clip(x, kNaN, 1), ValueError);
  CHECK(tape.size() == size);
  CHECK(numbers(value(clip(x, 0, kInf))) == std::vector<double>{0, 5});
}
