#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "evaluate.hpp"

// The softmax family on rows with NaN and infinities, against the definition: what e^x / sum of e^x, shifted
// by the greatest element, comes to in IEEE arithmetic. PyTorch gives the same values, and the same gradients
// but for a logsumexp of -Inf alone, which has 0 here.

namespace bd = backdrop;
using bd::DType;
using bd::kInf;
using bd::kNaN;
using bd::Reduction;
using bd::Tensor;
using bd::Var;

namespace {

using Row = std::vector<double>;

const std::vector<Row> kRows = {
    {kInf, 0, 1},     {0, kInf, 1},   {kInf, kInf, 0},   {kInf, kInf, kInf}, {-kInf, -kInf, -kInf},
    {-kInf, 0, 1},    {0, -kInf, 1},  {-kInf, -kInf, 0}, {0, -kInf, -kInf},  {kInf, -kInf, 0},
    {-kInf, kInf, 0}, {kNaN, 0, 1},   {0, kNaN, 1},      {kInf, kNaN, 0},    {0, kInf, kNaN},
    {-kInf, kNaN, 0}, {1e4, -1e4, 0}, {0, 1, 2},         {1e4, -kInf, -1e4}, {-1e4, -1e4, kInf},
};

struct Answer {
  Row softmax, log_softmax;
  double logsumexp = 0;
};

Answer by_definition(const Row& x) {
  double greatest = x[0];
  for (double v : x) greatest = v > greatest || std::isnan(v) ? v : greatest;
  double sum = 0;
  for (double v : x) sum += std::exp(v - greatest);
  Answer out;
  for (double v : x) {
    out.softmax.push_back(std::exp(v - greatest) / sum);
    out.log_softmax.push_back(v - greatest - std::log(sum));
  }
  out.logsumexp = std::isinf(greatest) ? greatest : greatest + std::log(sum);
  for (double v : x) {
    if (std::isnan(v)) out.logsumexp = v;
  }
  return out;
}

bool alike(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || a == b || std::abs(a - b) <= 1e-5 * std::max(1.0, std::abs(b));
}

void check(const std::string& what, const Tensor& found, const Row& expected) {
  REQUIRE(found.numel() == expected.size());
  for (std::size_t k = 0; k < expected.size(); ++k) {
    if (!alike(found.at(k), expected[k])) {
      FAIL_CHECK(what << ", element " << k << ": " << found.at(k) << ", must be " << expected[k]);
    }
  }
}

// The value of f(x) and its derivatives with and without optimising, of f as it is and of its body.
template <class F>
void check_everywhere(const std::string& what, const Row& row, DType dtype, F f, const Row& y,
                      const Row& gradient) {
  CAPTURE(what);
  bd::Tape tape;
  const Tensor of_row = bd::vector_of(row, dtype);
  const Var x = tape.variable("x", of_row), result = f(x);
  const bd::Rewrite opened = bd::expand(tape);
  const auto all = [&](const std::string& how, Var a, Var b) {
    const Var g = grad(bd::sum(b), a);
    for (const bool optimize : {true, false}) {
      CAPTURE(how);
      CAPTURE(optimize);
      const bd::Program program = bd::compile(a.tape(), {.outputs = {b, g}, .optimize = optimize});
      const bd::Outputs outputs = program.run();
      check("value", outputs[0], y);
      check("gradient", outputs[1], gradient);
    }
  };
  all("as it is", x, result);
  all("body", opened(x), opened(result));
}

}  // namespace

TEST_CASE("rows with NaN and infinities: kernel, body, optimised or not, f32 and f64 agree") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    for (const Row& row : kRows) {
      CAPTURE(dtype);
      CAPTURE(bd::to_string(bd::vector_of(row)));
      const Answer answer = by_definition(row);
      const Row weights = {1, 2, 4};
      const auto weighted = [&](Var y) {
        return bd::mul(y, y.tape().constant(bd::vector_of(weights, dtype)));
      };
      double all = 0, mean = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        all += weights[k];
        mean += weights[k] * answer.softmax[k];
      }
      Row y, g;
      for (std::size_t k = 0; k < 3; ++k) {
        y.push_back(weights[k] * answer.softmax[k]);
        g.push_back(answer.softmax[k] * (weights[k] - mean));
      }
      for (const bool column : {false, true}) {
        const auto along = [&](Var x) { return column ? bd::reshape(x, {3, 1}) : x; };
        const auto back = [](Var x) { return bd::reshape(x, {3}); };
        const std::int64_t axis = column ? 0 : -1;
        check_everywhere(
            "softmax", row, dtype, [&](Var x) { return weighted(back(bd::softmax(along(x), axis))); }, y, g);
        Row log_y, log_g, sum_g;
        for (std::size_t k = 0; k < 3; ++k) {
          log_y.push_back(weights[k] * answer.log_softmax[k]);
          log_g.push_back(weights[k] - answer.softmax[k] * all);
          sum_g.push_back(answer.logsumexp == -kInf ? 0 : std::exp(row[k] - answer.logsumexp));
        }
        check_everywhere(
            "log_softmax", row, dtype, [&](Var x) { return weighted(back(bd::log_softmax(along(x), axis))); },
            log_y, log_g);
        check_everywhere(
            "logsumexp", row, dtype, [&](Var x) { return bd::logsumexp(along(x), {axis}); },
            {answer.logsumexp}, sum_g);
      }
      for (std::size_t label = 0; label < 3; ++label) {
        CAPTURE(label);
        Row excess = answer.softmax;
        excess[label] -= 1;
        for (const Reduction how : {Reduction::none, Reduction::mean}) {
          check_everywhere(
              "cross_entropy", row, dtype,
              [&](Var x) {
                const Var at = x.tape().constant(Tensor({static_cast<double>(label)}, DType::i64));
                return bd::cross_entropy(bd::reshape(x, {1, 3}), at, how);
              },
              {-answer.log_softmax[label]}, excess);
        }
      }
    }
  }
}
