#include <algorithm>
#include <cmath>

#include "checks/direction.hpp"

/// Modes of gradcheck whose cost does not grow with the number of inputs.
namespace backdrop::checking {

namespace {

// Whether the nearest slope that rounding leaves is clearly another one: see Differences::compare_nearby.
bool contradicts_nearby(const DirectionLine& line, double analytic, double size, double noise, double eps) {
  const double far = kNearby * kNear * eps;
  std::vector<double> above, below, gone;
  line(far, above, gone);
  line(-far, below, gone);
  return std::fabs((above[0] - below[0]) / (2 * far) - analytic) > 16 * noise / far + .01 * size;
}

}  // namespace

void check_directional(Context context) {
  Draw draw(context.options.key);
  Compiled values(context.replay, {context.replay.roots()[0]});
  const double eps = epsilon(context.replay.roots()[0].dtype());
  const Extrapolation::Options extrapolation{.precision = kFiner * context.tolerance};
  std::vector<double> noise, here, gone;
  for (int k = 0; k < wanted(context, 1); ++k) {
    const Direction direction(context.replay, draw, values);
    const DirectionLine line = direction.line(values);
    const auto [analytic, size] = context.options.forward ? direction.forward() : direction.reverse();
    if (k == 0) noise = rounding_noise(line, kNear * eps, eps);  // the same along all of them
    line(0, here, gone);
    Estimate estimate = differentiate(line, here, noise, kFirstStep, extrapolation)[0];
    Report::Entry entry{0, static_cast<std::size_t>(k), 0, analytic, 0, 0, Verdict::pass};
    entry.verdict = judge(analytic, estimate, context.tolerance);
    const bool contradicts = contradicts_nearby(line, analytic, size, noise[0], eps);
    if (entry.verdict != Verdict::pass || contradicts || !is_fine(estimate, analytic)) {
      noise = noise_about(direction, line, context.options.key, eps);
      estimate = differentiate(line, here, noise, kFirstStep, extrapolation)[0];
      for (const double shorter : {0x1p10, 0x1p20, 0x1p30, 0x1p40}) {
        const bool agrees = judge(analytic, estimate, context.tolerance) == Verdict::pass;
        if ((agrees && !contradicts && is_fine(estimate, analytic)) || shorter * eps > kShortest) break;
        estimate.refine(differentiate(line, here, noise, kFirstStep / shorter, extrapolation)[0]);
      }
      entry.verdict = judge(analytic, estimate, context.tolerance);
    }
    entry.numeric = estimate.value;
    entry.error = estimate.error;
    if (entry.verdict != Verdict::pass) decide(entry, values, direction, here, noise, context);
    if (entry.verdict == Verdict::pass && analytic == 0 && estimate.flat && direction.is_swallowed()) {
      entry.verdict = Verdict::inconclusive;
    }
    add(context.report, entry);
  }
  context.report.evaluations += values.runs();
}

void check_dot_product(Context context) {
  Draw draw(context.options.key);
  const double eps = epsilon(context.replay.roots()[0].dtype());
  Compiled values(context.replay, {context.replay.roots()[0]});
  const Tensor y = values.run()[0];
  for (int k = 0; k < wanted(context, 4); ++k) {
    const Direction direction(context.replay, draw, values);
    const auto [forward, forward_size] = direction.forward();
    const auto [reverse, reverse_size] = direction.reverse();
    // What is 0 because terms of the size of y cancel leaves their rounding.
    const double error = 1e4 * eps * std::max(forward_size, reverse_size) + 16 * eps * direction.size_of(y);
    Report::Entry entry{0, static_cast<std::size_t>(k), 0, reverse, forward, error, Verdict::pass};
    if (!(std::fabs(forward - reverse) <= error)) entry.verdict = Verdict::fail;
    add(context.report, entry);
  }
  context.report.evaluations += values.runs();
}

}  // namespace backdrop::checking
