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

}  // namespace

std::vector<double> rounding_noise(const Line& f, double spacing, double epsilon) {
  constexpr std::size_t kPoints = 8;
  std::vector<std::vector<double>> y(kPoints);
  for (std::size_t k = 0; k < kPoints; ++k) f(spacing * static_cast<double>(k), y[k]);
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
                                    const std::vector<double>& noise, double step, double origin,
                                    double grain) {
  constexpr int kLevels = 10;
  const std::size_t n = at_zero.size();
  std::vector<Table> tables(n);
  std::vector<Estimate> out(n);
  std::vector<double> above, below;
  for (int level = 0; level < kLevels; ++level, step /= 2) {
    const double width = f(step, above) - f(-step, below);
    bool settled = level >= 2;
    for (std::size_t i = 0; i < n; ++i) {
      const double curvature = std::fabs(above[i] - 2 * at_zero[i] + below[i]) / (step * step);
      const double uneven = grain * std::max(origin, step) * curvature;
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

Sides compare_sides(const Line& f, std::size_t output, double at_zero, double noise, double step) {
  constexpr int kLevels = 14;
  constexpr double kStays = .6;  // a smooth function's falls to a quarter
  Sides out;
  out.smooth.error = kInfinity;
  std::vector<double> above, below;
  double before = 0;
  int stays = 0;
  for (int level = 0; level < kLevels; ++level, step /= 4) {
    const double up = f(step, above), down = -f(-step, below);
    const double right = (above[output] - at_zero) / up;
    const double left = (at_zero - below[output]) / down;
    const double gap = std::fabs(right - left);
    const double floor = 8 * noise / step;
    if (!std::isfinite(gap) || floor > .1 * std::max(std::fabs(left), std::fabs(right))) {
      if (std::isfinite(gap)) break;
      continue;
    }
    if (gap > floor) {
      stays = gap > kStays * before ? stays + 1 : 0;
      out.left = left;
      out.right = right;
    } else {
      stays = 0;
    }
    before = gap;
    const double error = gap + floor;
    if (error < out.smooth.error) {
      out.smooth = {(above[output] - below[output]) / (up + down), error,
                    std::max(std::fabs(left), std::fabs(right)), false};
    }
  }
  out.kink = stays >= 3;
  return out;
}

}  // namespace backdrop
