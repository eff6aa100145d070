#include "checking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace backdrop::checking {

namespace {

// Whether steps far smaller show another slope than those that were extrapolated from: a branch, a pole or a
// period lay between.
bool contradicts(const Estimate& closer, const Report::Entry& entry) {
  return std::fabs(closer.value - entry.numeric) > 5 * (closer.error + entry.error);
}

}  // namespace

// Where the second derivative jumps there is no place to extrapolate from, and elsewhere it may be of no use.
void decide(Report::Entry& entry, const Sides& sides, double tolerance) {
  if (sides.kink) {
    const auto [low, high] = std::minmax(sides.left, sides.right);
    const double slack = sides.error + tolerance * std::max(std::fabs(low), std::fabs(high));
    const bool between = entry.analytic >= low - slack && entry.analytic <= high + slack;
    entry.verdict = between ? Verdict::kink : sides.alone ? Verdict::inconclusive : Verdict::fail;
    entry.numeric = (low + high) / 2;
    entry.error = (high - low) / 2;
  } else if (sides.rough || sides.smooth.error < entry.error || contradicts(sides.smooth, entry)) {
    entry.verdict = judge(entry.analytic, sides.smooth, tolerance);
    entry.numeric = sides.smooth.value;
    entry.error = sides.smooth.error;
  }
}

double Draw::next() {
  const std::array<std::uint32_t, 4> bits = random_block(key_, 0, block_++);
  const double size = .5 + static_cast<double>(bits[0]) / 4294967296.0;
  return (bits[1] & 1) != 0 ? size : -size;
}

std::vector<double> Draw::several(std::size_t count) {
  std::vector<double> out(count);
  for (double& number : out) number = next();
  return out;
}

std::vector<std::vector<double>> draw_directions(Draw& draw, const Replay& replay) {
  constexpr double kOtherSize = 1e-3;
  std::vector<std::vector<double>> out;
  for (const Tensor& x : replay.at()) {
    out.push_back(draw.several(x.numel()));
    const double size = typical_size(x);
    for (std::size_t j = 0; j < x.numel(); ++j) {
      const double own = std::fabs(x.at(j));
      out.back()[j] *= own > 0 && own < kOtherSize * size ? own : size;
    }
  }
  return out;
}

void DirectionLine::operator()(double t, std::vector<double>& out, std::vector<double>& gone) const {
  gone.assign(1, t);
  move(t);
  read(values_->run(), out);
  if (weights_) out = {std::inner_product(out.begin(), out.end(), weights_->begin(), 0.)};
}

void DirectionLine::move(double t) const {
  const auto move = [t]<class T>(std::span<const T> from, const std::vector<double>& by, std::span<T> to) {
    for (std::size_t j = 0; j < to.size(); ++j) to[j] = static_cast<T>(double{from[j]} + t * by[j]);
  };
  for (std::size_t k = 0; k < direction_.size(); ++k) {
    const Tensor& from = replay_->at()[k];
    if (from.dtype() == DType::f32) {
      move(from.data<float>(), direction_[k], values_->input(k).mutable_data<float>());
    } else {
      move(from.data<double>(), direction_[k], values_->input(k).mutable_data<double>());
    }
  }
}

std::vector<double> DirectionLine::at_zero() const {
  std::vector<double> out, gone;
  (*this)(0, out, gone);
  return out;
}

void read(const Outputs& run, std::vector<double>& out) {
  out.resize(run[0].numel());
  read_elements(run[0], out);
}

double typical_size(const Tensor& x) {
  // The largest is taken out of the squares, which 1e200 would overflow.
  double largest = 0;
  for (std::size_t j = 0; j < x.numel(); ++j) {
    if (std::isfinite(x.at(j))) largest = std::max(largest, std::fabs(x.at(j)));
  }
  if (largest == 0) return 1;
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t j = 0; j < x.numel(); ++j) {
    const double ratio = x.at(j) / largest;
    if (ratio == 0 || !std::isfinite(ratio)) continue;
    sum += ratio * ratio;
    ++count;
  }
  return largest * std::sqrt(sum / static_cast<double>(count));
}

double epsilon(DType dtype) {
  return dtype == DType::f32 ? double{std::numeric_limits<float>::epsilon()}
                             : std::numeric_limits<double>::epsilon();
}

namespace {

// How many times its estimated error an estimate may be off.
constexpr double kSafety = 5;

}  // namespace

bool resolves(const Estimate& numeric, double analytic) {
  return kSafety * numeric.error <= .01 * std::max(std::fabs(analytic), std::fabs(numeric.value));
}

bool is_fine(const Estimate& numeric, double analytic) {
  const double size = std::max(std::fabs(analytic), std::fabs(numeric.value));
  return size == 0 || kSafety * numeric.error <= 2e-4 * size || numeric.error <= 1e-5 * numeric.visible;
}

Verdict judge(double analytic, const Estimate& numeric, double tolerance) {
  if (!std::isfinite(numeric.error)) return Verdict::inconclusive;
  if (!std::isfinite(analytic)) return Verdict::fail;
  if (numeric.flat && analytic == 0) return Verdict::pass;
  const double size = std::max(std::fabs(analytic), std::fabs(numeric.value));
  if (std::fabs(analytic - numeric.value) > kSafety * numeric.error + tolerance * size) return Verdict::fail;
  // Agreement says something only if a wrong value could have been told apart.
  const bool seen = resolves(numeric, analytic) || numeric.error <= 1e-5 * numeric.visible;
  return seen ? Verdict::pass : Verdict::inconclusive;
}

namespace {

bool worse(const Report::Entry& a, const Report::Entry& b) {
  const auto severity = [](const Report::Entry& e) {
    constexpr int kSeverity[] = {0, 3, 1, 2};  // pass, fail, kink, inconclusive
    return kSeverity[static_cast<std::size_t>(e.verdict)];
  };
  const auto distance = [](const Report::Entry& e) {
    const double gap = std::fabs(e.analytic - e.numeric);
    return std::isnan(gap) ? std::numeric_limits<double>::infinity() : gap;
  };
  if (severity(a) != severity(b)) return severity(a) > severity(b);
  return distance(a) > distance(b);
}

void keep_worst(std::vector<Report::Entry>& worst, const Report::Entry& entry) {
  constexpr std::size_t kShown = 5;
  if (worst.size() == kShown && !worse(entry, worst.back())) return;
  worst.insert(std::upper_bound(worst.begin(), worst.end(), entry, worse), entry);
  if (worst.size() > kShown) worst.pop_back();
}

}  // namespace

void Tally::add(const Report::Entry& entry) {
  ++count[static_cast<std::size_t>(entry.verdict)];
  keep_worst(worst, entry);
}

void add(Report& report, const Report::Entry& entry) {
  ++report.inputs[entry.input].count[static_cast<std::size_t>(entry.verdict)];
  keep_worst(report.worst, entry);
}

void add(Report& report, std::size_t input, const Tally& tally) {
  for (std::size_t k = 0; k < tally.count.size(); ++k) report.inputs[input].count[k] += tally.count[k];
  for (const Report::Entry& entry : tally.worst) keep_worst(report.worst, entry);
}

}  // namespace backdrop::checking
