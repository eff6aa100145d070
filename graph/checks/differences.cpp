#include "differences.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace backdrop {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The extrapolation table of one output: its last row, and the best entry of all.
class Table {
 public:
  // A difference over [-h, h], where rounding alone may move it by `floor`.
  void add(double difference, double floor) {
    if (!std::isfinite(difference)) {
      row_.clear();
      return;
    }
    std::vector<double> next{difference};
    double power = 1;
    for (std::size_t j = 1; j <= row_.size(); ++j) {
      power *= 4;
      const double entry = (next[j - 1] * power - row_[j - 1]) / (power - 1);
      const double scatter = std::max(std::fabs(entry - next[j - 1]), std::fabs(entry - row_[j - 1]));
      next.push_back(entry);
      offer(entry, std::max(scatter, floor));
    }
    row_ = std::move(next);
  }
  double value() const { return value_; }
  double error() const { return error_; }
  bool settled(double floor) const { return error_ <= std::max(2 * floor, 1e-11 * std::fabs(value_)); }

 private:
  void offer(double value, double error) {
    if (!(error < error_)) return;
    value_ = value;
    error_ = error;
  }

  std::vector<double> row_;
  double value_ = 0;
  double error_ = kInfinity;
};

// One-sided differences of one output at smaller and smaller steps.
struct Comparison {
  Sides sides{.smooth = {.error = kInfinity}};
  double before = 0;
  int stays = 0;
  bool over = false;  // rounding has taken over

  void add(double left, double right, double floor) {
    constexpr double kStays = .6;  // a smooth function's falls to a quarter
    const double gap = std::fabs(right - left);
    if (over || !std::isfinite(gap)) return;
    over = floor > .1 * std::max(std::fabs(left), std::fabs(right));
    if (over) return;
    if (gap > floor) {
      stays = gap > kStays * before ? stays + 1 : 0;
      sides.left = left;
      sides.right = right;
    } else {
      stays = 0;
    }
    before = gap;
    if (const double error = gap + floor; error < sides.smooth.error) {
      const double size = std::max(std::fabs(left), std::fabs(right));
      sides.smooth = {left + (right - left) / 2, error, size, false};
    }
  }
};

double of(const std::vector<double>& gone, std::size_t output) { return gone[gone.size() == 1 ? 0 : output]; }

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
    noise[i] = epsilon / 2 * std::fabs(d[0]);
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

std::vector<Estimate> differentiate(const Line& f, const std::vector<double>& at_zero,
                                    const std::vector<double>& noise, double step, double grain,
                                    const std::vector<double>& origin) {
  constexpr int kLevels = 10;
  const std::size_t n = at_zero.size();
  std::vector<Table> tables(n);
  std::vector<Estimate> out(n);
  std::vector<double> above, below, up, down;
  for (int level = 0; level < kLevels; ++level, step /= 2) {
    f(step, above, up);
    f(-step, below, down);
    bool settled = level >= 2;
    for (std::size_t i = 0; i < n; ++i) {
      const double width = of(up, i) - of(down, i);
      const double curvature = std::fabs(above[i] - 2 * at_zero[i] + below[i]) / (step * step);
      const double uneven = grain * std::max(origin.empty() ? 0 : origin[i], step) * curvature;
      const double floor = 4 * noise[i] / width + (uneven < kInfinity ? uneven : 0);
      tables[i].add((above[i] - below[i]) / width, floor);
      settled = settled && tables[i].settled(floor);
      const double change = std::max(std::fabs(above[i] - at_zero[i]), std::fabs(below[i] - at_zero[i]));
      if (change > 0) out[i].flat = false;
      if (change > 4 * noise[i] && std::isfinite(change)) {
        out[i].visible = std::max(out[i].visible, 2 * change / width);
      }
    }
    if (settled) break;
  }
  for (std::size_t i = 0; i < n; ++i) {
    out[i].value = tables[i].value();
    out[i].error = tables[i].error();
  }
  return out;
}

std::vector<Sides> compare_sides(const Line& f, const std::vector<double>& at_zero,
                                 const std::vector<double>& noise, double step) {
  constexpr int kLevels = 14;
  const std::size_t n = at_zero.size();
  std::vector<Comparison> found(n);
  std::vector<double> above, below, up, down;
  for (int level = 0; level < kLevels; ++level, step /= 4) {
    f(step, above, up);
    f(-step, below, down);
    bool over = true;
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
    out[i].kink = found[i].stays >= 3;
  }
  return out;
}

}  // namespace backdrop
