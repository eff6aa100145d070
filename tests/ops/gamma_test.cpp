#include <doctest/doctest.h>

#include <algorithm>
#include <backdrop/backdrop.hpp>
#include <cmath>

#include "ops/evaluate.hpp"

using namespace backdrop;

namespace {

struct Row {
  double x;
  double values[6];  // ln |gamma|, then its derivatives number 1, 2, 3, 4 and 7
};

// mpmath with 40 digits: re(loggamma(x)), psi(n, x) for n = 0, 1, 2, 3, 6
const Row kRows[] = {
    {0.001,
     {6.907178885383853, -1000.5755719318103, 1000001.6425331958, -2000000002.3976321, 6000000000006.469,
      -7.199999999999998e+23}},
    {0.1,
     {2.252712651734206, -10.423754940411076, 101.43329915079275, -2001.8614573783436, 60004.51287679026,
      -7200000373.781803}},
    {0.5,
     {0.5723649429247001, -1.9635100260214235, 4.934802200544679, -16.82879664423432, 97.40909103400244,
      -92203.45792380303}},
    {1.25,
     {-0.09827183642181316, -0.22745353337626542, 1.1973291545071107, -1.3277399375369203, 2.782144009188396,
      -153.6877436916061}},
    {2,
     {0.0, 0.42278433509846713, 0.6449340668482264, -0.4041138063191886, 0.49393940226682914,
      -6.011479714984436}},
    {3.7,
     {1.428072326665388, 1.1671535393615113, 0.3100378576700383, -0.09539530872855403, 0.058279217956563614,
      -0.09576004675283734}},
    {9.5,
     {11.689333420797269, 2.1977378764029494, 0.11099728846909904, -0.012307845807709338,
      0.0027267288350372493, -0.0002210449100120409}},
    {25,
     {54.78472939811232, 3.198742512851974, 0.04081066325722558, -0.001665279318422468, 0.0001358846365082737,
      -5.532496491858543e-07}},
    {1000.0,
     {5905.220423209181, 6.907255195648812, 0.0010005001666666333, -1.0010004999998333e-06,
      2.003001999999e-09, -1.20360419999496e-16}},
    {100000000.0,
     {1742068066.1038346, 18.420680738952367, 1.000000005e-08, -1.00000001e-16, 2.0000000300000002e-24,
      -1.2000000360000005e-46}},
    {-0.5,
     {1.2655121234846454, 0.03648997397857652, 8.934802200544679, -0.82879664423432, 193.40909103400244,
      -43.457923803023284}},
    {-0.3,
     {1.4648400508576025, 2.113309779635399, 13.945160267805722, 67.63908119988317, 766.6198904191685,
      3283420.02651577}},
    {-1.7,
     {0.9218446876946375, -1.4857174995110567, 14.632201633884014, -69.0345495501142, 768.8497345301308,
      -3283537.873538612}},
    {-2.25,
     {0.5555015450206475, 4.158583564657972, 19.37941051186914, 123.89694977406016, 1558.4550231887144,
      11791224.534791825}},
    {-7.5,
     {-8.404537371451598, 2.08009081757942, 9.744766282170433, -0.015564511795903924, 194.8143059276446,
      -0.000445639875254325}},
    {-20.125,
     {-40.608285145280576, 10.611077432912593, 67.34539904473097, 1022.2920414835888, 24591.002096872733,
      1509947916.835628}},
};
constexpr std::int64_t kOrders[] = {-1, 0, 1, 2, 3, 6};

// What a value may be off by is relative to itself, and to 1/100 where it is larger.
double small(double value) { return std::clamp(std::abs(value), 1e-100, 1e-2); }

Var derivative_of_log_gamma(std::int64_t n, Var x) { return n < 0 ? lgamma(x) : polygamma(n, x); }

}  // namespace

TEST_CASE("the gamma family has 13 digits on either side of 0") {
  for (const Row& row : kRows) {
    for (std::size_t k = 0; k < 6; ++k) {
      CAPTURE(row.x);
      CAPTURE(kOrders[k]);
      const auto y =
          results([&](Var v) { return derivative_of_log_gamma(kOrders[k], v); }, vector_of({row.x}));
      CHECK(y[0] == doctest::Approx(row.values[k]).epsilon(1e-13).scale(small(row.values[k])));
    }
    CHECK(results([](Var v) { return digamma(v); }, vector_of({row.x}))[0] ==
          doctest::Approx(row.values[1]).epsilon(1e-13).scale(small(row.values[1])));
  }
}

TEST_CASE("every derivative of lgamma is the next function of the family") {
  const Tensor x({0.75, 2.5, -1.25}, DType::f64);
  const auto first = slopes([](Var v) { return lgamma(v); }, x).first;
  CHECK(first == results([](Var v) { return digamma(v); }, x));
  const auto second = slopes([](Var v) { return digamma(v); }, x).first;
  CHECK(second == results([](Var v) { return polygamma(1, v); }, x));
  const auto fifth = slopes([](Var v) { return polygamma(3, v); }, x).first;
  CHECK(fifth == results([](Var v) { return polygamma(4, v); }, x));
}

TEST_CASE("poles and infinities of the gamma family") {
  const Tensor x({0.0, -0.0, -3, kInf, -kInf, kNaN}, DType::f64);
  const auto y = results([](Var v) { return digamma(v); }, x);
  CHECK(y[0] == -kInf);
  CHECK(y[1] == kInf);
  CHECK(std::isnan(y[2]));
  CHECK(y[3] == kInf);
  CHECK(std::isnan(y[4]));
  CHECK(std::isnan(y[5]));
  const auto trigamma = results([](Var v) { return polygamma(1, v); }, x);
  CHECK(trigamma[0] == kInf);
  CHECK(trigamma[2] == kInf);
  CHECK(trigamma[3] == 0);
  CHECK(results([](Var v) { return polygamma(2, v); }, x)[2] == -kInf);
  CHECK(results([](Var v) { return lgamma(v); }, x)[2] == kInf);
}

TEST_CASE("polygamma takes orders from 0 to 100") {
  Tape tape;
  const Var x = tape.input("x", {2});
  CHECK_THROWS_AS(polygamma(-1, x), ValueError);
  CHECK_THROWS_AS(polygamma(101, x), ValueError);
  CHECK(std::isfinite(results([](Var v) { return polygamma(100, v); }, vector_of({30}))[0]));
}

// (n-1)!/x^n (1 + n/(2x) + ...): 1e-200, 49!/1e350 and 99!/1700^100
TEST_CASE("polygamma far out is as small as it is, not 0") {
  const auto at = [](std::int64_t n, double x) {
    Tape tape;
    return value(polygamma(n, tape.constant(Tensor::full({}, x, DType::f64)))).item();
  };
  CHECK(at(1, 1e200) == doctest::Approx(1e-200).epsilon(1e-12));
  CHECK(at(50, 1e7) / 1e-288 == doctest::Approx(-6.082818640342675 * (1 + 50 / 2e7)).epsilon(1e-11));
  CHECK(at(100, 1700) / 1e-168 < -7);
  CHECK(at(100, 1700) / 1e-168 > -9);
}
