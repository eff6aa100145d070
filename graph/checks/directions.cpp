#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/graph/gradient.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/reduce.hpp>
#include <cmath>
#include <numeric>

#include "checking.hpp"

/// The modes of gradcheck whose cost does not grow with the number of inputs.
namespace backdrop::checking {

namespace {

Tensor shaped(const std::vector<double>& numbers, Var like) {
  return Tensor::from(numbers, like.shape()).to(like.dtype());
}

// <a, b>, and the sum of the sizes of its terms.
std::pair<double, double> dot(const Tensor& a, const Tensor& b) {
  double sum = 0, size = 0;
  for (std::size_t i = 0; i < a.numel(); ++i) {
    sum += a.at(i) * b.at(i);
    size += std::fabs(a.at(i) * b.at(i));
  }
  return {sum, size};
}

// One direction in all inputs, with weights on the outputs, and what the rules say about it.
class Direction {
 public:
  Direction(const Replay& replay, Draw& draw) : replay_(replay) {
    direction_ = draw_directions(draw, replay_);
    weights_ = draw.several(y().shape().numel());
    for (std::size_t k = 0; k < direction_.size(); ++k) {
      tangents_.push_back(shaped(direction_[k], replay_.inputs()[k]));
    }
    cotangent_ = shaped(weights_, y());
    for (std::size_t k = 0; k < direction_.size(); ++k) {
      for (std::size_t j = 0; j < direction_[k].size(); ++j) direction_[k][j] = tangents_[k].at(j);
    }
    for (std::size_t i = 0; i < weights_.size(); ++i) weights_[i] = cotangent_.at(i);
  }

  Var y() const { return replay_.roots()[0]; }

  /// <J' w, d>, from the vjp rules or from derivatives written by hand.
  std::pair<double, double> reverse() const {
    Tape& tape = replay_.tape();
    const Tape::Mark before = tape.mark();
    std::pair<double, double> total{0, 0};
    const auto& roots = replay_.roots();
    const bool given = roots.size() > 1;
    const std::vector<Var> gradients = given ? std::vector<Var>(roots.begin() + 1, roots.end())
                                             : vjp(y(), replay_.inputs(), tape.constant(cotangent_));
    {
      const Compiled program(replay_, gradients);
      const Outputs run = program.run();
      for (std::size_t k = 0; k < run.size(); ++k) {
        const Tensor gradient = given ? contract(run[k], k) : run[k];
        const auto [sum, size] = dot(gradient, tangents_[k]);
        total.first += sum;
        total.second += size;
      }
    }
    tape.rewind(before);
    return total;
  }

  /// <w, J d>, from the jvp rules.
  std::pair<double, double> forward() const {
    Tape& tape = replay_.tape();
    const Tape::Mark before = tape.mark();
    std::vector<Var> tangents;
    for (const Tensor& t : tangents_) tangents.push_back(tape.constant(t));
    const Var pushed = jvp(y(), replay_.inputs(), tangents);
    std::pair<double, double> out;
    {
      const Compiled program(replay_, {pushed});
      out = dot(program.run()[0], cotangent_);
    }
    tape.rewind(before);
    return out;
  }

  /// d' H d of <w, y>: the derivative of <J' w, d> along d.
  double second() const {
    Tape& tape = replay_.tape();
    const Tape::Mark before = tape.mark();
    std::vector<Var> tangents;
    for (const Tensor& t : tangents_) tangents.push_back(tape.constant(t));
    const std::vector<Var> gradients = vjp(y(), replay_.inputs(), tape.constant(cotangent_));
    double total = 0;
    for (std::size_t k = 0; k < gradients.size(); ++k) {
      const Var along = jvp(sum(mul(gradients[k], tangents[k])), replay_.inputs(), tangents);
      const Compiled program(replay_, {along});
      total += program.run()[0].item();
    }
    tape.rewind(before);
    return total;
  }

  /// What rounding on the way may do to <w, y>.
  double propagated_rounding(Key key) const {
    double most = 0;
    for (const std::vector<double>& sample : checking::propagated_rounding(replay_, y(), key)) {
      most =
          std::max(most, std::fabs(std::inner_product(sample.begin(), sample.end(), weights_.begin(), 0.)));
    }
    return most;
  }

  DirectionLine line(Compiled& values) const { return {values, replay_, direction_, weights_}; }
  /// The part of the direction that moves one element of one input.
  DirectionLine line(Compiled& values, std::size_t input, std::size_t element) const {
    std::vector<std::vector<double>> alone;
    for (const auto& part : direction_) alone.emplace_back(part.size(), 0.);
    alone[input][element] = direction_[input][element];
    return {values, replay_, std::move(alone), weights_};
  }
  /// The sum of |w y|.
  double size_of(const Tensor& value) const {
    double size = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      const double part = std::fabs(weights_[i] * value.at(i));
      if (std::isfinite(part)) size += part;
    }
    return size;
  }
  const std::vector<std::vector<double>>& parts() const { return direction_; }

 private:
  // w' J for a Jacobian written by hand, of shape y.shape + x.shape.
  Tensor contract(const Tensor& jacobian, std::size_t k) const {
    const std::size_t m = weights_.size(), n = replay_.at()[k].numel();
    std::vector<double> out(n);
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < n; ++j) out[j] += weights_[i] * jacobian.at(i * n + j);
    }
    return Tensor::from(out, replay_.at()[k].shape());
  }

  const Replay& replay_;
  std::vector<std::vector<double>> direction_;
  std::vector<double> weights_;
  std::vector<Tensor> tangents_;
  Tensor cotangent_;
};

constexpr double kFirstStep = .125;

int wanted(const Context& context, int usual) {
  return context.options.directions > 0 ? context.options.directions : usual;
}

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

// The remainders of one Taylor test, until rounding takes over.
Report::Trend follow(const DirectionLine& line, double here, double first, double second, double noise,
                     int order, double epsilon) {
  constexpr int kLevels = 30;
  constexpr std::size_t kFewest = 6;
  Report::Trend trend;
  trend.order = order;
  std::vector<double> there, gone;
  double h = kFirstStep;
  bool seen = false;
  for (int level = 0; level < kLevels; ++level, h /= 2) {
    line(h, there, gone);
    const double expected = h * first + (order == 2 ? h * h / 2 * second : 0);
    const double remainder = std::fabs(there[0] - here - expected);
    const double floor = 16 * (noise + epsilon * std::fabs(expected));
    if (!std::isfinite(remainder)) continue;
    seen = true;
    if (remainder <= floor) break;
    trend.steps.push_back(h);
    trend.remainders.push_back(remainder);
  }
  if (!seen) {  // of a value that is not finite nothing can be said; of a derivative, that it is wrong
    trend.verdict = std::isfinite(first) && std::isfinite(second) ? Verdict::inconclusive : Verdict::fail;
    return trend;
  }
  const double change = kFirstStep * std::fabs(first);
  if (trend.steps.size() < 3 && first != 0 && change <= 16 * (noise + epsilon * change)) {
    trend.linear = true;
    trend.verdict = Verdict::inconclusive;  // the derivative itself does not rise above rounding
    return trend;
  }
  trend.linear = trend.steps.size() < 3;
  if (!trend.linear) {
    trend.rate = last_rate(trend.remainders);
    // A few remainders just above rounding may fall with any power.
    const Verdict otherwise = trend.steps.size() < kFewest ? Verdict::inconclusive : Verdict::fail;
    trend.verdict = trend.rate >= order + .7 ? Verdict::pass : otherwise;
  }
  return trend;
}

void count(Report& report, Verdict verdict) {
  for (Report::Input& input : report.inputs) ++input.count[static_cast<std::size_t>(verdict)];
}

}  // namespace

// Kinks that several elements meet at once may bend to opposite sides, so that a derivative right in each of
// them lies outside the slopes along all: then it lies between the sums of the slopes along each. Of more
// than kMost elements nobody knows.
void decide_by_elements(Report::Entry& entry, Compiled& values, const Direction& direction,
                        const std::vector<double>& here, const std::vector<double>& noise) {
  constexpr std::size_t kMost = 512;
  std::size_t count = 0;
  for (const auto& part : direction.parts()) count += part.size();
  if (count > kMost) {
    entry.verdict = Verdict::inconclusive;
    return;
  }
  double low = 0, high = 0, slack = 0;
  for (std::size_t k = 0; k < direction.parts().size(); ++k) {
    for (std::size_t j = 0; j < direction.parts()[k].size(); ++j) {
      const Sides sides = compare_sides(direction.line(values, k, j), here, noise, kFirstStep)[0];
      low += sides.kink ? std::min(sides.left, sides.right) : sides.smooth.value;
      high += sides.kink ? std::max(sides.left, sides.right) : sides.smooth.value;
      slack += sides.kink ? sides.error : sides.smooth.error;
    }
  }
  if (!(entry.analytic >= low - slack && entry.analytic <= high + slack)) return;
  entry.verdict = Verdict::kink;
  entry.numeric = (low + high) / 2;
  entry.error = (high - low) / 2;
}

void check_directional(Context context) {
  Draw draw(context.options.key);
  Compiled values(context.replay, {context.replay.roots()[0]});
  const double eps = epsilon(context.replay.roots()[0].dtype());
  const Extrapolation::Options extrapolation{.precision = kFiner * context.tolerance};
  std::vector<double> noise, here, gone;
  for (int k = 0; k < wanted(context, 1); ++k) {
    const Direction direction(context.replay, draw);
    const DirectionLine line = direction.line(values);
    const auto [analytic, size] = context.options.forward ? direction.forward() : direction.reverse();
    if (k == 0) noise = rounding_noise(line, kNear * eps, eps);  // the same along all of them
    line(0, here, gone);
    Estimate estimate = differentiate(line, here, noise, kFirstStep, extrapolation)[0];
    Report::Entry entry{0, static_cast<std::size_t>(k), 0, analytic, 0, 0, Verdict::pass};
    entry.verdict = judge(analytic, estimate, context.tolerance);
    if (entry.verdict != Verdict::pass) {
      noise[0] = std::max(noise[0], direction.propagated_rounding(context.options.key));
      estimate = differentiate(line, here, noise, kFirstStep, extrapolation)[0];
      const Estimate closer = differentiate(line, here, noise, kFirstStep / 1024, extrapolation)[0];
      if (closer.error < estimate.error) estimate = closer;
      entry.verdict = judge(analytic, estimate, context.tolerance);
    }
    entry.numeric = estimate.value;
    entry.error = estimate.error;
    if (entry.verdict != Verdict::pass) {
      const Sides sides = compare_sides(line, here, noise, kFirstStep)[0];
      decide(entry, sides, context.tolerance);
      if (sides.kink && entry.verdict == Verdict::fail)
        decide_by_elements(entry, values, direction, here, noise);
    }
    add(context.report, entry);
  }
  context.report.evaluations += values.runs();
}

void check_taylor(Context context) {
  Draw draw(context.options.key);
  const Var y = context.replay.roots()[0];
  Compiled values(context.replay, {y});
  const double eps = epsilon(y.dtype());
  for (int k = 0; k < wanted(context, 4); ++k) {
    const Direction direction(context.replay, draw);
    const DirectionLine line = direction.line(values);
    std::vector<double> noise = rounding_noise(line, kNear * eps, eps);
    const std::vector<double> here = line.at_zero();
    const double first = (context.options.forward ? direction.forward() : direction.reverse()).first;
    const auto trends_found = [&] {
      std::vector<Report::Trend> trends{follow(line, here[0], first, 0, noise[0], 1, eps)};
      if (trends[0].verdict == Verdict::pass && context.options.given.empty()) {
        trends.push_back(follow(line, here[0], first, direction.second(), noise[0], 2, eps));
      }
      return trends;
    };
    std::vector<Report::Trend> trends = trends_found();
    if (trends.back().verdict == Verdict::fail) {
      const double more = direction.propagated_rounding(context.options.key);
      if (more > noise[0]) {
        noise[0] = more;
        trends = trends_found();
      }
    }
    for (Report::Trend& trend : trends) {
      if (trend.verdict == Verdict::fail) {
        const Sides sides = compare_sides(line, here, noise, kFirstStep)[0];
        if (sides.kink || (trend.order == 2 && sides.rough)) trend.verdict = Verdict::kink;
      }
      count(context.report, trend.verdict);
      context.report.trends.push_back(std::move(trend));
    }
  }
  context.report.evaluations += values.runs();
}

void check_dot_product(Context context) {
  Draw draw(context.options.key);
  const double eps = epsilon(context.replay.roots()[0].dtype());
  const Tensor y = Compiled(context.replay, {context.replay.roots()[0]}).run()[0];
  ++context.report.evaluations;
  for (int k = 0; k < wanted(context, 4); ++k) {
    const Direction direction(context.replay, draw);
    const auto [forward, forward_size] = direction.forward();
    const auto [reverse, reverse_size] = direction.reverse();
    // What is 0 because terms of the size of y cancel leaves their rounding.
    const double error = 1e4 * eps * std::max(forward_size, reverse_size) + 16 * eps * direction.size_of(y);
    Report::Entry entry{0, static_cast<std::size_t>(k), 0, reverse, forward, error, Verdict::pass};
    if (!(std::fabs(forward - reverse) <= error)) entry.verdict = Verdict::fail;
    add(context.report, entry);
  }
}

}  // namespace backdrop::checking
