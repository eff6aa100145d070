#include <algorithm>
#include <cmath>
#include <limits>

#include "checks/direction.hpp"

/// The Taylor test: the powers that remainders fall with.
namespace backdrop::checking {

namespace {

// The power that the last few remainders fall with: the median, since rounding touches the very last.
double last_rate(const std::vector<double>& remainders) {
  constexpr std::size_t kUsed = 7;
  std::vector<double> rates;
  for (std::size_t k = remainders.size() - 1; k > 0 && rates.size() < kUsed; --k) {
    rates.push_back(std::log2(remainders[k - 1] / remainders[k]));
  }
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

// One direction of a Taylor test: the function along it and what the rules say.
struct Along {
  const DirectionLine& line;
  double here, first, size, second, noise, epsilon;  // size: of the terms that add up to `first`

  double expected(double h, int order) const { return h * first + (order == 2 ? h * h / 2 * second : 0); }
  double floor(double h, int order) const { return 16 * (noise + epsilon * std::fabs(expected(h, order))); }
};

// The power that remainders fall with beyond the order of the test, at least: 1 with the right derivative, 0
// with a wrong one.
constexpr double kFalls = .7;
// What remains must be so small beside h J d that a derivative some per cent off would have been seen.
constexpr double kResolved = .01;
// And beside h^2/2 d' H d.
constexpr double kResolvedSecond = .05;

// Of what is 0 to rounding from the first step on.
Verdict judge_linear(const Along& along, double step, int order, bool changed) {
  const double floor = along.floor(step, order);
  if (order == 1) {
    const bool hidden = along.first == 0 ? changed : floor > kResolved * step * along.size;
    return hidden ? Verdict::inconclusive : Verdict::pass;
  }
  // It may be 0 to rounding, as what is seen.
  const double part = step * step / 2 * std::fabs(along.second);
  return part > floor && floor > kResolvedSecond * part ? Verdict::inconclusive : Verdict::pass;
}

// Of remainders that fall.
Verdict judge_rate(const Along& along, const Report::Trend& trend) {
  constexpr std::size_t kFewest = 6;
  // A few remainders just above rounding may fall with any power, and those of x^1.5 beside 0 do with h^1.5.
  if (trend.rate < trend.order + kFalls) {
    const bool unclear = trend.steps.size() < kFewest || trend.rate > trend.order + .3;
    return unclear ? Verdict::inconclusive : Verdict::fail;
  }
  const bool hidden = trend.order == 1 && along.first != 0 &&
                      trend.remainders.back() > kResolved * trend.steps.back() * along.size;
  return hidden ? Verdict::inconclusive : Verdict::pass;
}

// The remainders of one Taylor test with steps h, h/2, h/4, ..., until rounding takes over.
Report::Trend follow(const Along& along, int order, double h) {
  constexpr int kLevels = 30;
  Report::Trend trend;
  trend.order = order;
  std::vector<double> there, gone;
  const double step = h;
  bool seen = false, changed = false;
  for (int level = 0; level < kLevels; ++level, h /= 2) {
    along.line(h, there, gone);
    const double remainder = std::fabs(there[0] - along.here - along.expected(h, order));
    if (!std::isfinite(remainder)) continue;
    seen = true;
    changed = there[0] != along.here;
    if (remainder <= along.floor(h, order)) break;
    trend.steps.push_back(h);
    trend.remainders.push_back(remainder);
  }
  if (!seen) {  // of a value that is not finite nothing can be said; of a derivative, that it is wrong
    const bool nothing = !std::isfinite(along.here) || std::isfinite(along.expected(1, order));
    trend.verdict = nothing ? Verdict::inconclusive : Verdict::fail;
    return trend;
  }
  trend.linear = trend.steps.size() < 3;
  if (!trend.linear) trend.rate = last_rate(trend.remainders);
  trend.verdict = trend.linear ? judge_linear(along, step, order, changed) : judge_rate(along, trend);
  return trend;
}

// From shorter steps, where a branch or a period lay within the longer ones; `step` becomes that of the trend
// that passes. What the longer ones showed must be well above rounding there, if it is of the derivative.
Report::Trend follow_closer(const Along& along, const Report::Trend& failed, double& step) {
  constexpr double kSeen = .1;
  if (failed.steps.empty()) return failed;
  const double suspected = failed.remainders.back() / std::pow(failed.steps.back(), failed.order);
  for (const double shorter : {0x1p10, 0x1p20, 0x1p30}) {
    const double h = step / shorter;
    if (along.floor(h, failed.order) > kSeen * suspected * std::pow(h, failed.order)) break;
    Report::Trend trend = follow(along, failed.order, h);
    if (trend.verdict != Verdict::pass || (trend.linear && !trend.steps.empty())) continue;
    step = h;
    return trend;
  }
  return failed;
}

void count(Report& report, Verdict verdict) {
  for (Report::Input& input : report.inputs) ++input.count[static_cast<std::size_t>(verdict)];
}

// d' H d on one side of the point, from the step that tells it best.
Estimate second_beside(const Along& along, double side, double h) {
  constexpr int kLevels = 24;
  Estimate best{.error = std::numeric_limits<double>::infinity()};
  double before = std::numeric_limits<double>::quiet_NaN();
  std::vector<double> there, gone;
  for (int level = 0; level < kLevels; ++level, h /= 2) {
    along.line(side * h, there, gone);
    const double now = 2 * (there[0] - along.here - side * h * along.first) / (h * h);
    const double error = std::fabs(now - before) + 2 * along.floor(h, 1) / (h * h);
    before = now;
    if (error < best.error) best = {now, error, std::fabs(now), false};
  }
  return best;
}

// Where the second derivative jumps the one that is taken should lie between those on the sides.
Verdict judge_jump(const Along& along) {
  bool seen = false;
  for (const double shorter : {1., 0x1p10, 0x1p20}) {
    const Estimate left = second_beside(along, -1, kFirstStep / shorter),
                   right = second_beside(along, 1, kFirstStep / shorter);
    const auto [low, high] = std::minmax(left.value, right.value);
    const double slack = 5 * (left.error + right.error);
    if (!(slack <= kResolvedSecond * std::max({std::fabs(low), std::fabs(high), std::fabs(along.second)})))
      break;
    seen = true;
    if (along.second >= low - slack && along.second <= high + slack) return Verdict::kink;
  }
  return seen ? Verdict::fail : Verdict::inconclusive;
}

// A trend that failed, looked at from both sides and with shorter steps.
Report::Trend reconsidered(const Report::Trend& failed, const Along& along, Compiled& values,
                           const Direction& direction, const Context& context, double& step) {
  const std::vector<double> here{along.here}, noise{along.noise};
  const Sides sides = compare_sides(along.line, here, noise, kFirstStep)[0];
  if (!sides.kink && !(failed.order == 2 && sides.rough)) return follow_closer(along, failed, step);
  Report::Trend out = failed;
  if (failed.order == 2) {
    out.verdict = sides.kink ? Verdict::kink : judge_jump(along);
    return out;
  }
  Report::Entry entry{.analytic = along.first, .verdict = Verdict::fail};
  decide(entry, values, direction, here, noise, context);
  out.verdict = entry.verdict;
  return out;
}

}  // namespace

void check_taylor(Context context) {
  Draw draw(context.options.key);
  const Var y = context.replay.roots()[0];
  Compiled values(context.replay, {y});
  const double eps = epsilon(y.dtype());
  const bool second_order = context.options.given.empty();
  for (int k = 0; k < wanted(context, 4); ++k) {
    const Direction direction(context.replay, draw, values);
    const DirectionLine line = direction.line(values);
    const auto [first, size] = context.options.forward ? direction.forward() : direction.reverse();
    Along along{line, line.at_zero()[0], first, size, 0, rounding_noise(line, kNear * eps, eps)[0], eps};
    bool looked_for_noise = false;
    double step = kFirstStep;
    for (int order = 1; order <= (second_order ? 2 : 1); ++order) {
      if (order == 2) along.second = direction.second();
      Report::Trend trend = follow(along, order, step);
      if (trend.verdict != Verdict::pass && !looked_for_noise) {
        looked_for_noise = true;
        along.noise = noise_about(direction, line, context.options.key, eps)[0];
        trend = follow(along, order, step);
      }
      if (!trend.linear && trend.verdict != Verdict::pass && trend.rate < order + kFalls) {
        trend = reconsidered(trend, along, values, direction, context, step);
      }
      const bool flat = order == 1 && trend.linear && trend.verdict == Verdict::pass && first == 0;
      if (flat && direction.is_swallowed()) trend.verdict = Verdict::inconclusive;
      const Verdict verdict = trend.verdict;
      count(context.report, verdict);
      context.report.trends.push_back(std::move(trend));
      if (verdict != Verdict::pass) break;
    }
  }
  context.report.evaluations += values.runs();
}

}  // namespace backdrop::checking
