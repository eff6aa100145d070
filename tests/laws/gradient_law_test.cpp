#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>

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

// A checker that trusted a wrong declaration would look at the wrong entries.
TEST_CASE("what an op declares of the structure of its Jacobian is so") {
  for_each_case({Variant::as_written, Variant::scalar}, [](Case& c) {
    if (c.maker.dtype() != DType::f64 || !c.float_result() || c.sample.traits.large) return;
    for (const Var x : c.maker.differentiable()) {
      const BlockJacobian found = block_jacobian(c.y, x, {.feeds = c.maker.feeds(), .step = 3});
      if (found.blocks == 1) continue;
      const Var seed = c.direction(c.y);
      const Var backwards = vjp(c.y, x, seed);
      const Tensor dense = found.dense(), expected = value_of(c, backwards), g = value_of(c, seed);
      for (std::size_t j = 0; j < expected.numel(); ++j) {
        double sum = 0, size = 0;
        for (std::size_t i = 0; i < g.numel(); ++i) {
          const double term = g.at(i) * dense.at(i * expected.numel() + j);
          if (g.at(i) == 0 || dense.at(i * expected.numel() + j) == 0) continue;
          sum += term;
          size += std::abs(term);
        }
        const bool same = std::abs(sum - expected.at(j)) <= 1e-12 * (size + std::abs(expected.at(j)));
        const bool undefined = !std::isfinite(sum) && !std::isfinite(expected.at(j));
        CHECK_MESSAGE((same || undefined), c.name() << ", element " << j << " of " << std::string(x.name()));
      }
    }
  });
}
