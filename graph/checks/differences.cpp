#include "differences.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace backdrop {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Slopes on either side, of the steps that tell them best: those at which they changed least.
struct Slopes {
  double left = 0, right = 0, error = kInfinity;
  double last_left = std::numeric_limits<double>::quiet_NaN(), last_right = last_left;

  void add(double now_left, double now_right, double floor) {
    const double changed = std::fabs(now_left - last_left) + std::fabs(now_right - last_right) + floor;
    if (changed < error) *this = {now_left, now_right, changed};
    last_left = now_left;
    last_right = now_right;
  }
};

// By how much slopes across a jump grow with a step a quarter as long, at least: they are four times as
// large.
constexpr double kGrows = 3;

// One-sided differences of one output at smaller and smaller steps.
struct Comparison {
  Sides sides{.smooth = {.error = kInfinity}};
  double before = 0, left_before = 0, right_before = 0;
  int stays = 0, left_grows = 0, right_grows = 0, falls = 0;
  Slopes at_kink, beside_jump;
  double central = 0, change = 0;  // of the step before, and from the one before that
  int slow = 0;  // changes that fall as the step does, to a quarter; a smooth function's to 1/16
  int levels = 0;
  double visible = 0;    // the largest slope so far
  bool settled = false;  // whether there is a kink; what follows tells how smooth it is closer by
  bool over = false;     // rounding has taken over

  void add(double left, double right, double floor) {
    const double gap = std::fabs(right - left);
    if (!std::isfinite(gap)) left_before = right_before = std::numeric_limits<double>::quiet_NaN();
    if (over || !std::isfinite(gap)) return;
    const double size = std::max(std::fabs(left), std::fabs(right));
    visible = std::max(visible, size);
    over = floor > .1 * size && floor > 1e-4 * visible;
    if (over) return;
    if (settled) {
      look_closer(left, right, floor);
    } else {
      look_for_branch(left, right, floor);
    }
    const double now = left + (right - left) / 2, error = gap + std::fabs(now - central) + floor;
    central = now;
    // Slopes that agree may both be far off, as those of x |x| at 0 are.
    if (levels++ == 0) return;
    // Where smaller steps clearly show another slope, a branch, a pole or a period lay within the larger
    // ones.
    const bool other =
        error < .01 * visible && std::fabs(now - sides.smooth.value) > 5 * (error + sides.smooth.error);
    if (error < sides.smooth.error || other) sides.smooth = {now, error, visible, false};
  }

  // What looked like a kink at the point may be one beside it, or a period, which the steps are shorter than
  // by now: then the gap falls, or slopes that grew do no longer.
  void look_closer(double left, double right, double floor) {
    constexpr double kFalls = .4, kGone = .1;
    if (stays + left_grows + right_grows == 0) return;
    const double gap = std::fabs(right - left), at_first = std::fabs(at_kink.right - at_kink.left);
    const bool known = floor < kGone * std::max(at_first, std::max(std::fabs(left), std::fabs(right)));
    const bool still = stays > 0 && gap >= std::max(kFalls * before, kGone * at_first);
    const bool grow = (left_grows > 0 && std::fabs(left) > kGrows * std::fabs(left_before)) ||
                      (right_grows > 0 && std::fabs(right) > kGrows * std::fabs(right_before));
    falls = known && !still && !grow ? falls + 1 : 0;
    before = gap;
    left_before = left;
    right_before = right;
    if (falls < 2) return;
    stays = left_grows = right_grows = 0;
    sides.rough = false;
    sides.smooth = {.error = kInfinity};
  }

  void look_for_branch(double left, double right, double floor) {
    constexpr double kStays = .6;  // a smooth function's falls to a quarter
    const double gap = std::fabs(right - left);
    const auto grows = [&](double now, double last) {
      return levels > 0 && std::fabs(now) > floor && std::fabs(now) > kGrows * std::fabs(last);
    };
    stays = gap > floor && gap > kStays * before ? stays + 1 : 0;
    left_grows = grows(left, left_before) ? left_grows + 1 : 0;
    right_grows = grows(right, right_before) ? right_grows + 1 : 0;
    if (stays + left_grows + right_grows == 0) at_kink = beside_jump = {};
    at_kink.add(left, right, floor);
    // Between the points of this step and those of the one before, which is four times as long.
    if (levels > 0) {
      beside_jump.add((4 * left_before - left) / 3, (4 * right_before - right) / 3, 2 * floor);
    }
    left_before = left;
    right_before = right;
    before = gap;
    const double now = left + (right - left) / 2, changed = std::fabs(now - central);
    const bool slowly = change > 2 * changed && change < 8 * changed && changed > floor;
    slow = slowly ? slow + 1 : 0;
    sides.rough = sides.rough || slow >= 3;
    change = changed;
  }
};

double of(std::span<const double> numbers, std::size_t output) {
  return numbers[numbers.size() == 1 ? 0 : output];
}

}  // namespace

std::vector<double> rounding_noise(const Line& f, double spacing, double epsilon) {
  constexpr std::size_t kPoints = 8;
  std::vector<std::vector<double>> y(kPoints);
  std::vector<double> gone;
  for (std::size_t k = 0; k < kPoints; ++k) f(spacing * static_cast<double>(k), y[k], gone);
  std::vector<double> noise(y[0].size());
  for (std::size_t i = 0; i < noise.size(); ++i) {
    double d[kPoints];
    for (std::size_t k = 0; k < kPoints; ++k) d[k] = y[k][i];
    noise[i] = std::max(epsilon / 2 * std::fabs(d[0]), std::numeric_limits<double>::denorm_min());
    double gamma = 1;
    for (std::size_t order = 1; order <= 5; ++order) {
      double sum = 0;
      for (std::size_t k = 0; k + order < kPoints; ++k) {
        d[k] = d[k + 1] - d[k];
        sum += d[k] * d[k];
      }
      const auto o = static_cast<double>(order);
      gamma *= o / (2 * (2 * o - 1));  // (order!)^2 / (2 order)!
      const double level = std::sqrt(gamma * sum / static_cast<double>(kPoints - order));
      if (order >= 3 && std::isfinite(level)) noise[i] = std::max(noise[i], level);
    }
  }
  return noise;
}

std::vector<double> rounding_noise_beside_jumps(const Line& f, double spacing, double epsilon) {
  constexpr double kJump = 1000, kBesidePoint = 1;
  const auto from_side = [&](double side) {
    const auto beside = [&](double t, std::vector<double>& out, std::vector<double>& gone) {
      f(side * (t + kBesidePoint * spacing), out, gone);
    };
    return rounding_noise(beside, spacing, epsilon);
  };
  std::vector<double> noise = from_side(1);
  const std::vector<double> other = from_side(-1);
  for (std::size_t i = 0; i < noise.size(); ++i) {
    const auto [less, more] = std::minmax(noise[i], other[i]);
    noise[i] = more > kJump * less ? less : more;
  }
  return noise;
}

void Estimate::refine(const Estimate& closer) {
  const double size = std::max(std::fabs(value), std::fabs(closer.value));
  const bool other = !closer.flat && closer.error <= .01 * size &&
                     std::fabs(closer.value - value) > 5 * (closer.error + error);
  if (closer.error < error || other) *this = closer;
}

Extrapolation::Extrapolation(std::size_t outputs, double step, Options options)
    : step_(step),
      options_(std::move(options)),
      rows_(outputs * static_cast<std::size_t>(options_.levels)),
      lengths_(outputs, 0),
      estimates_(outputs, Estimate{.error = kInfinity}) {}

// Appends a row to the table of one output, of which only the last row is kept. Rounding alone may move the
// difference by `floor`.
void Extrapolation::extrapolate(std::size_t output, double difference, double floor) {
  int& length = lengths_[output];
  if (!std::isfinite(difference)) {
    length = 0;
    return;
  }
  Estimate& best = estimates_[output];
  if (options_.levels == 1) {
    best.value = difference;
    best.error = floor;
    return;
  }
  double* const row = rows_.data() + output * static_cast<std::size_t>(options_.levels);
  double entry = difference, power = 1;
  for (int j = 0; j < length; ++j) {
    power *= 4;
    const double before = row[j], next = (entry * power - before) / (power - 1);
    const double scatter = std::max(std::fabs(next - entry), std::fabs(next - before));
    row[j] = entry;
    entry = next;
    if (const double error = std::max(scatter, floor); error < best.error) {
      best.value = next;
      best.error = error;
    }
  }
  row[length++] = entry;
}

void Extrapolation::add(const Side& above, const Side& below, const std::vector<double>& noise) {
  bool settled = level_ >= 2;
  for (std::size_t i = 0; i < estimates_.size(); ++i) {
    Estimate& estimate = estimates_[i];
    const double width = of(above.gone, i) - of(below.gone, i);
    const double up = above.outputs[i] - above.at_zero[i], down = below.outputs[i] - below.at_zero[i];
    const double curvature = std::fabs(up + down) / (step_ * step_);
    const double origin = options_.origin.empty() ? 0 : of(options_.origin, i);
    const double uneven = options_.grain * std::max(origin, step_) * curvature;
    const double floor = 4 * noise[i] / width + (uneven < kInfinity ? uneven : 0);
    extrapolate(i, (above.outputs[i] - below.outputs[i]) / width, floor);
    settled =
        settled && estimate.error <= std::max(2 * floor, options_.precision * std::fabs(estimate.value));
    const double change = std::max(std::fabs(up), std::fabs(down));
    if (change > 0) estimate.flat = false;
    if (change > 4 * noise[i] && std::isfinite(change)) {
      estimate.visible = std::max(estimate.visible, 2 * change / width);
    }
  }
  done_ = settled || ++level_ == options_.levels;
  step_ /= 2;
}

std::vector<Estimate> differentiate(const Line& f, const std::vector<double>& at_zero,
                                    const std::vector<double>& noise, double step,
                                    const Extrapolation::Options& options) {
  Extrapolation so_far(at_zero.size(), step, options);
  std::vector<double> above, below, up, down;
  while (!so_far.done()) {
    f(so_far.step(), above, up);
    f(-so_far.step(), below, down);
    so_far.add({above, up, at_zero}, {below, down, at_zero}, noise);
  }
  return std::move(so_far.estimates());
}

std::vector<Sides> compare_sides(const Line& f, const std::vector<double>& at_zero,
                                 const std::vector<double>& noise, double step) {
  constexpr int kLevels = 24, kForBranches = 14;
  const std::size_t n = at_zero.size();
  std::vector<Comparison> found(n);
  std::vector<double> above, below, up, down;
  for (int level = 0; level < kLevels; ++level, step /= 4) {
    f(step, above, up);
    f(-step, below, down);
    bool over = true;
    if (level == kForBranches) {
      for (Comparison& output : found) output.settled = true;
    }
    for (std::size_t i = 0; i < n; ++i) {
      const double right = (above[i] - at_zero[i]) / of(up, i);
      const double left = (at_zero[i] - below[i]) / -of(down, i);
      found[i].add(left, right, 8 * noise[i] / step);
      over = over && found[i].over;
    }
    if (over) break;
  }
  std::vector<Sides> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = found[i].sides;
    const bool left_jumps = found[i].left_grows >= 3, right_jumps = found[i].right_grows >= 3;
    const bool jump = left_jumps || right_jumps;
    out[i].kink = jump || found[i].stays >= 3;
    out[i].alone = left_jumps && right_jumps;
    const Slopes& slopes = jump ? found[i].beside_jump : found[i].at_kink;
    out[i].left = slopes.left;
    out[i].right = slopes.right;
    out[i].error = slopes.error;
  }
  return out;
}

}  // namespace backdrop
