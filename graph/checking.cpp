#include "checking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace backdrop::checking {

namespace {

// Moves one element of one input.
class ElementLine {
 public:
  ElementLine(Compiled& values, std::size_t input, std::size_t element)
      : values_(&values), input_(input), element_(element) {}

  double operator()(double t, std::vector<double>& out) const {
    Tensor& x = values_->input(input_);
    const double here = x.at(element_);
    set_element(x, element_, here + t);
    const double gone = x.at(element_) - here;
    read(values_->run(), out);
    set_element(x, element_, here);
    return gone;
  }

 private:
  Compiled* values_;
  std::size_t input_, element_;
};

double power_of_two_below(double x) { return std::exp2(std::floor(std::log2(x))); }

}  // namespace

Differences::Differences(const Replay& replay, Var y, Key key)
    : replay_(replay), values_(replay, {y}), grain_(epsilon(y.dtype())), at_(y.shape().numel()) {
  Draw draw(key);
  const DirectionLine along(values_, replay, draw_directions(draw, replay));
  noise_ = rounding_noise(along, kNear * grain_, grain_);
  along(0, at_);
}

std::vector<Estimate> Differences::estimate(std::size_t input, std::size_t element, const Enough& enough) {
  const ElementLine line(values_, input, element);
  const Tensor& x = replay_.at()[input];
  const double size = typical_size(x), own = std::fabs(x.at(element));
  const double step = first_step(input, element);
  std::vector<Estimate> out = differentiate(line, at_, noise_, step, own, grain_);
  // The function may bend on a smaller scale than its argument shows.
  for (const double smaller : {own > 0 && own <= .1 * size ? power_of_two_below(own / 8) : 0., step / 1024}) {
    if (smaller == 0 || enough(out)) continue;
    const std::vector<Estimate> more = differentiate(line, at_, noise_, smaller, own, grain_);
    for (std::size_t i = 0; i < more.size(); ++i) {
      if (more[i].error < out[i].error) out[i] = more[i];
    }
  }
  return out;
}

std::vector<Report::Entry> Differences::check(std::size_t input, std::size_t element,
                                              const std::vector<double>& analytic, double tolerance) {
  const std::vector<Estimate> estimates = estimate(input, element, [&](const std::vector<Estimate>& so_far) {
    for (std::size_t i = 0; i < analytic.size(); ++i) {
      if (judge(analytic[i], so_far[i], tolerance) != Verdict::pass) return false;
    }
    return true;
  });
  std::vector<Report::Entry> out;
  for (std::size_t i = 0; i < analytic.size(); ++i) {
    Report::Entry entry{input, i, element, analytic[i], estimates[i].value, estimates[i].error, {}};
    entry.verdict = judge(analytic[i], estimates[i], tolerance);
    if (entry.verdict != Verdict::pass) {
      const ElementLine line(values_, input, element);
      decide(entry, compare_sides(line, i, at_[i], noise_[i], first_step(input, element)), tolerance);
    }
    out.push_back(entry);
  }
  return out;
}

double Differences::first_step(std::size_t input, std::size_t element) const {
  const Tensor& x = replay_.at()[input];
  const double size = typical_size(x), own = std::fabs(x.at(element));
  return power_of_two_below((own > .1 * size ? own : size) / 8);
}

void decide(Report::Entry& entry, const Sides& sides, double tolerance) {
  if (sides.kink) {
    const auto [low, high] = std::minmax(sides.left, sides.right);
    const double slack = .01 * (high - low);
    const bool between = entry.analytic >= low - slack && entry.analytic <= high + slack;
    entry.verdict = between ? Verdict::kink : Verdict::fail;
    entry.numeric = (low + high) / 2;
    entry.error = (high - low) / 2;
  } else if (sides.smooth.error < entry.error) {
    entry.verdict = judge(entry.analytic, sides.smooth, tolerance);
    entry.numeric = sides.smooth.value;
    entry.error = sides.smooth.error;
  }
}

std::vector<std::vector<Estimate>> difference_jacobians(const Replay& replay, Var y) {
  Differences differences(replay, y, GradcheckOptions{}.key);
  const auto good = [](const std::vector<Estimate>& estimates) {
    return std::all_of(estimates.begin(), estimates.end(), [](const Estimate& e) {
      return e.flat || e.error <= 1e-8 * std::max(std::fabs(e.value), e.visible);
    });
  };
  const std::size_t m = differences.rows();
  std::vector<std::vector<Estimate>> out;
  for (std::size_t k = 0; k < replay.at().size(); ++k) {
    const std::size_t n = replay.at()[k].numel();
    std::vector<Estimate> dense(m * n);
    for (std::size_t j = 0; j < n; ++j) {
      const std::vector<Estimate> column = differences.estimate(k, j, good);
      for (std::size_t i = 0; i < m; ++i) dense[i * n + j] = column[i];
    }
    out.push_back(std::move(dense));
  }
  return out;
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
  std::vector<std::vector<double>> out;
  for (const Tensor& x : replay.at()) {
    out.push_back(draw.several(x.numel()));
    const double size = typical_size(x);
    for (double& d : out.back()) d *= size;
  }
  return out;
}

double DirectionLine::operator()(double t, std::vector<double>& out) const {
  for (std::size_t k = 0; k < direction_.size(); ++k) {
    for (std::size_t j = 0; j < direction_[k].size(); ++j) {
      set_element(values_->input(k), j, replay_->at()[k].at(j) + t * direction_[k][j]);
    }
  }
  read(values_->run(), out);
  if (!weights_.empty()) out = {std::inner_product(out.begin(), out.end(), weights_.begin(), 0.)};
  return t;
}

void read(const Outputs& run, std::vector<double>& out) {
  out.resize(run[0].numel());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = run[0].at(i);
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

Verdict judge(double analytic, const Estimate& numeric, double tolerance) {
  constexpr double kSafety = 5;
  if (!std::isfinite(numeric.error)) return Verdict::inconclusive;
  if (!std::isfinite(analytic)) return Verdict::fail;
  if (numeric.flat && analytic == 0) return Verdict::pass;
  const double size = std::max(std::fabs(analytic), std::fabs(numeric.value));
  if (std::fabs(analytic - numeric.value) > kSafety * numeric.error + tolerance * size) return Verdict::fail;
  // Agreement says something only if a wrong value could have been told apart.
  const bool seen = numeric.error <= .01 * size || numeric.error <= 1e-5 * numeric.visible;
  return seen ? Verdict::pass : Verdict::inconclusive;
}

void add(Report& report, const Report::Entry& entry) {
  constexpr std::size_t kShown = 5;
  ++report.inputs[entry.input].count[static_cast<std::size_t>(entry.verdict)];
  const auto severity = [](const Report::Entry& e) {
    constexpr int kSeverity[] = {0, 3, 1, 2};  // pass, fail, kink, inconclusive
    return kSeverity[static_cast<std::size_t>(e.verdict)];
  };
  const auto distance = [](const Report::Entry& e) {
    const double gap = std::fabs(e.analytic - e.numeric);
    return std::isnan(gap) ? std::numeric_limits<double>::infinity() : gap;
  };
  const auto worse = [&](const Report::Entry& a, const Report::Entry& b) {
    if (severity(a) != severity(b)) return severity(a) > severity(b);
    return distance(a) > distance(b);
  };
  const auto at = std::upper_bound(report.worst.begin(), report.worst.end(), entry, worse);
  if (at - report.worst.begin() >= static_cast<std::ptrdiff_t>(kShown)) return;
  report.worst.insert(at, entry);
  if (report.worst.size() > kShown) report.worst.pop_back();
}

}  // namespace backdrop::checking
