#include "kinks/kinks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <backdrop/backdrop.hpp>
#include <cmath>
#include <string>

using namespace backdrop;

TEST_CASE("at a kink the derivative lies between the slopes on its sides, the same one in both modes") {
  for (const Kink& kink : kinks()) {
    INFO(std::string(kink.op) << ", " << std::string(kink.where));
    const Slopes s = slopes(kink);
    CHECK(std::abs(s.above - s.below) > 0.1);
    CHECK(s.taken >= std::min(s.below, s.above) - 1e-5);
    CHECK(s.taken <= std::max(s.below, s.above) + 1e-5);
    CHECK(s.forward == s.taken);
  }
}

// The middle of both slopes is what central differences show.
TEST_CASE(
    "the check passes a derivative at a kink, as one unless it is the middle, and none beyond the slopes") {
  for (const Kink& kink : kinks()) {
    INFO(std::string(kink.op) << ", " << std::string(kink.where));
    Tape tape;
    const Var x = tape.variable("x", kink.at);
    const Var all = kink.y(x);
    const Var y = all.shape().rank() == 0 ? all : select(all, 0, static_cast<std::int64_t>(kink.row));
    const Report report = gradcheck(y, {x});
    INFO(to_string(report));
    CHECK(report.passed());
    const Slopes s = slopes(kink);
    const bool middle = std::abs(s.taken - (s.below + s.above) / 2) < 1e-6;
    CHECK((report.count(Verdict::kink) > 0) == !middle);

    Tensor beyond = value(grad(y, x));
    beyond.mutable_data<double>()[kink.column] = std::max(s.below, s.above) + 0.25;
    CHECK(gradcheck(y, {x}, {.given = {tape.constant(beyond)}}).count(Verdict::fail) > 0);
  }
}
