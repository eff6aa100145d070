#include "checking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "block_structure.hpp"

namespace backdrop::checking {

namespace {

double power_of_two_below(double x) { return std::exp2(std::floor(std::log2(x))); }

// A sign for each block, so that effects of one block on another do not cancel.
double sign_of(std::size_t block) { return ((block * 0x9E3779B97F4A7C15U) >> 63) != 0 ? -1 : 1; }

// A step measured by the element itself, however small it is beside the others.
constexpr double kOwnSize = 0;

// Slopes along a line, as slopes by the element that moves.
Sides per_unit(Sides along, double step) {
  along.left /= step;
  along.right /= step;
  along.smooth.value /= step;
  along.smooth.error /= std::fabs(step);
  along.smooth.visible /= std::fabs(step);
  return along;
}

}  // namespace

// Moves one element in every block of one input, by t steps of its own size.
class Differences::ColumnLine {
 public:
  ColumnLine(Differences& differences, std::size_t input, std::vector<std::size_t> elements,
             std::vector<double> steps)
      : values_(&differences.values_),
        input_(input),
        rows_(differences.rows() / elements.size()),
        elements_(std::move(elements)),
        steps_(std::move(steps)) {
    const Tensor& x = differences.replay_.at()[input];
    for (std::size_t element : elements_) here_.push_back(x.at(element));
  }

  void operator()(double t, std::vector<double>& out, std::vector<double>& gone) const {
    Tensor& x = values_->input(input_);
    gone.resize(rows_ * elements_.size());
    for (std::size_t b = 0; b < elements_.size(); ++b) {
      set_element(x, elements_[b], here_[b] + t * steps_[b]);
      const double moved = (x.at(elements_[b]) - here_[b]) / steps_[b];
      std::fill_n(gone.begin() + static_cast<std::ptrdiff_t>(b * rows_), rows_, moved);
    }
    read(values_->run(), out);
    for (std::size_t b = 0; b < elements_.size(); ++b) set_element(x, elements_[b], here_[b]);
  }
  double step(std::size_t row) const { return steps_[row / rows_]; }
  /// How far each output's element is from 0, in steps.
  std::vector<double> origins() const {
    std::vector<double> out;
    for (std::size_t i = 0; i < rows_ * elements_.size(); ++i) {
      out.push_back(std::fabs(here_[i / rows_] / steps_[i / rows_]));
    }
    return out;
  }

 private:
  Compiled* values_;
  std::size_t input_, rows_;
  std::vector<std::size_t> elements_;
  std::vector<double> steps_, here_;
};

Differences::Differences(const Replay& replay, Var y, Key key)
    : replay_(replay), values_(replay, {y}), grain_(epsilon(y.dtype())) {
  for (Var x : replay.inputs()) blocks_.push_back(independent_blocks(y, x));
  Draw draw(key);
  const DirectionLine along(values_, replay, draw_directions(draw, replay));
  noise_ = rounding_noise(along, kNear * grain_, grain_);
  at_ = along.at_zero();
}

std::size_t Differences::columns(std::size_t input) const {
  return replay_.at()[input].numel() / blocks_[input];
}

std::size_t Differences::element(std::size_t input, std::size_t row, std::size_t column) const {
  const std::size_t block = row / (rows() / blocks_[input]);
  return block * columns(input) + column;
}

Differences::ColumnLine Differences::line(std::size_t input, std::size_t column, double shorter) {
  const Tensor& x = replay_.at()[input];
  const double size = typical_size(x);
  std::vector<std::size_t> elements;
  std::vector<double> steps;
  for (std::size_t b = 0; b < blocks_[input]; ++b) {
    elements.push_back(b * columns(input) + column);
    const double own = std::fabs(x.at(elements.back()));
    const double measure = own > .1 * size || (own > 0 && shorter == kOwnSize) ? own : size;
    const double step = power_of_two_below(measure / 8) / std::max(shorter, 1.);
    steps.push_back(step * sign_of(b));
  }
  return {*this, input, std::move(elements), std::move(steps)};
}

std::vector<Estimate> Differences::along(const ColumnLine& line) const {
  std::vector<Estimate> out = differentiate(line, at_, noise_, 1, grain_, line.origins());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].value /= line.step(i);
    out[i].error /= std::fabs(line.step(i));
    out[i].visible /= std::fabs(line.step(i));
  }
  return out;
}

std::vector<Estimate> Differences::estimate(std::size_t input, std::size_t column, const Enough& enough) {
  std::vector<Estimate> out = along(line(input, column, 1));
  // The function may bend on a smaller scale than its argument shows.
  for (const double shorter : {kOwnSize, 1024.}) {
    if (enough(out)) break;
    const std::vector<Estimate> more = along(line(input, column, shorter));
    for (std::size_t i = 0; i < more.size(); ++i) {
      if (more[i].error < out[i].error) out[i] = more[i];
    }
  }
  return out;
}

std::vector<Report::Entry> Differences::check(std::size_t input, std::size_t column,
                                              const std::vector<double>& analytic, double tolerance) {
  const auto agree = [&](const std::vector<Estimate>& so_far) {
    for (std::size_t i = 0; i < analytic.size(); ++i) {
      if (judge(analytic[i], so_far[i], tolerance) != Verdict::pass) return false;
    }
    return true;
  };
  const std::vector<Estimate> estimates = estimate(input, column, agree);
  std::vector<Report::Entry> out;
  out.reserve(analytic.size());
  for (std::size_t i = 0; i < analytic.size(); ++i) {
    const Verdict verdict = judge(analytic[i], estimates[i], tolerance);
    out.push_back(
        {input, i, element(input, i, column), analytic[i], estimates[i].value, estimates[i].error, verdict});
  }
  if (agree(estimates)) return out;
  const ColumnLine closer = line(input, column, 1);
  const std::vector<Sides> sides = compare_sides(closer, at_, noise_, 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i].verdict != Verdict::pass) decide(out[i], per_unit(sides[i], closer.step(i)), tolerance);
  }
  return out;
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
    std::vector<Estimate> dense(m * n);  // between blocks 0, and flat
    for (std::size_t j = 0; j < differences.columns(k); ++j) {
      const std::vector<Estimate> column = differences.estimate(k, j, good);
      for (std::size_t i = 0; i < m; ++i) dense[i * n + differences.element(k, i, j)] = column[i];
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

void DirectionLine::operator()(double t, std::vector<double>& out, std::vector<double>& gone) const {
  gone.assign(1, t);
  for (std::size_t k = 0; k < direction_.size(); ++k) {
    for (std::size_t j = 0; j < direction_[k].size(); ++j) {
      set_element(values_->input(k), j, replay_->at()[k].at(j) + t * direction_[k][j]);
    }
  }
  read(values_->run(), out);
  if (!weights_.empty()) out = {std::inner_product(out.begin(), out.end(), weights_.begin(), 0.)};
}

std::vector<double> DirectionLine::at_zero() const {
  std::vector<double> out, gone;
  (*this)(0, out, gone);
  return out;
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
