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
    const Tensor finite({-1e30, -800, 800, 1e30}, dtype);
    for (auto f : {silu, gelu, gelu_tanh}) {
      CHECK(results([f](Var x) { return f(x, Where::here()); }, finite) == Numbers{0, 0, 800, big});
    }
    for (auto f : {sigmoid, softplus, log_sigmoid, tanh}) {
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
  CHECK(slopes([](Var x) { return clip(x, -1, 2); }, vector_of({-1, 2, -1.5, 2.5})).first ==
        Numbers{1, 1, 0, 0});
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
