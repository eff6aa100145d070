#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

#include "laws/cases.hpp"

using namespace backdrop;

namespace {

// Samples that call themselves smooth have no kink near by: a verdict "kink" would hide a wrong derivative.
// A saturated function may leave nothing but rounding to see in some entries, not in most.
void check_derivatives(Case& c, CheckMode mode) {
  if (c.maker.dtype() != DType::f64 || !c.float_result()) return;  // the checker works in f64
  if (!c.sample.traits.smooth || c.sample.traits.large) return;
  const std::vector<Var> xs = c.maker.differentiable();
  if (xs.empty()) return;
  const Report report = gradcheck(c.y, xs, {.mode = mode, .feeds = c.maker.feeds(), .step = 3});
  const std::size_t passed = report.count(Verdict::pass), inconclusive = report.count(Verdict::inconclusive);
  const bool good =
      report.count(Verdict::fail) == 0 && report.count(Verdict::kink) == 0 && inconclusive <= passed;
  CHECK_MESSAGE(good, c.name() << ", " << std::string(name(mode)) << "\n" << to_string(report));
}

}  // namespace

TEST_CASE("derivatives equal differences of values") {
  for_each_case({Variant::as_written, Variant::scalar, Variant::empty},
                [](Case& c) { check_derivatives(c, CheckMode::full); });
}

TEST_CASE("second derivatives equal differences of first ones") {
  for_each_case({Variant::as_written, Variant::scalar, Variant::empty},
                [](Case& c) { check_derivatives(c, CheckMode::second_order); });
}
