#include "checks/difference_jacobian.hpp"

#include <algorithm>
#include <backdrop/graph/vmap.hpp>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "block_structure.hpp"

namespace backdrop::checking {

namespace {

double power_of_two_below(double x) { return std::ldexp(1., std::ilogb(x)); }

// A sign for each block, so that effects of one block on another do not cancel.
double sign_of(std::size_t block) { return ((block * 0x9E3779B97F4A7C15U) >> 63) != 0 ? -1 : 1; }

// An element that is smaller, in units of the typical one, is of a size of its own.
constexpr double kOtherSize = .1;
// And so much smaller it is of another kind, in units of its own.
constexpr double kOtherKind = 1e-3;

// A step measured by the element itself, however small it is beside the others.
constexpr double kOwnSize = 0;

// Numbers of y and of an input that one run of a batch takes: they should stay in the nearer caches.
constexpr std::size_t kBatchNumbers = 1 << 16;
constexpr std::size_t kMostLanes = 32;

// Of plain central differences: near the cube root of epsilon, where truncation and rounding are alike.
constexpr double kPlainStep = 0x1p-14;

// Slopes along a line, as slopes by the element that moves.
void to_unit(Estimate& estimate, double step) {
  estimate.value /= step;
  estimate.error /= std::fabs(step);
  estimate.visible /= std::fabs(step);
}
Sides per_unit(Sides along, double step) {
  along.left /= step;
  along.right /= step;
  along.error /= std::fabs(step);
  to_unit(along.smooth, step);
  return along;
}

}  // namespace

ColumnLine::ColumnLine(const Tensor& x, std::vector<std::size_t> elements, std::vector<double> steps,
                       std::size_t rows)
    : rows_(rows / elements.size()), elements_(std::move(elements)), steps_(std::move(steps)) {
  here_.reserve(elements_.size());
  for (std::size_t element : elements_) here_.push_back(x.at(element));
}

void ColumnLine::move(Tensor& x, std::size_t offset, double t, std::vector<double>& gone) const {
  gone.resize(elements_.size() == 1 ? 1 : rows_ * elements_.size());
  for (std::size_t b = 0; b < elements_.size(); ++b) {
    const std::size_t at = offset + elements_[b];
    set_element(x, at, here_[b] + t * steps_[b]);
    const double moved = (x.at(at) - here_[b]) / steps_[b];
    if (elements_.size() == 1) {
      gone[0] = moved;
    } else {
      std::fill_n(gone.begin() + static_cast<std::ptrdiff_t>(b * rows_), rows_, moved);
    }
  }
}

void ColumnLine::put_back(Tensor& x, std::size_t offset) const {
  for (std::size_t b = 0; b < elements_.size(); ++b) set_element(x, offset + elements_[b], here_[b]);
}

std::vector<double> ColumnLine::origins() const {
  if (elements_.size() == 1) return {std::fabs(here_[0] / steps_[0])};
  std::vector<double> out;
  out.reserve(rows_ * elements_.size());
  for (std::size_t i = 0; i < rows_ * elements_.size(); ++i) {
    out.push_back(std::fabs(here_[i / rows_] / steps_[i / rows_]));
  }
  return out;
}

Differences::Differences(const Replay& replay, Var y, Key key, double precision)
    : replay_(replay),
      y_(y),
      key_(key),
      blocks_(independent_blocks_of_each(y, replay.inputs())),
      values_(replay, {y}),
      precision_(precision),
      grain_(epsilon(y.dtype())) {
  for (const Tensor& x : replay.at()) sizes_.push_back(typical_size(x));
  Draw draw(key);
  direction_ = draw_directions(draw, replay);
  const DirectionLine along(values_, replay, direction_);
  const double far = kNearby * kNear * grain_;
  noise_ = rounding_noise(along, kNear * grain_, grain_);
  std::vector<double> below, gone;
  along(-far, below, gone);
  along(far, nearby_, gone);
  for (std::size_t i = 0; i < below.size(); ++i) nearby_[i] = (nearby_[i] - below[i]) / (2 * far);
  at_ = along.at_zero();
  contradicts_.resize(at_.size());
}

void Differences::compare_nearby(std::span<const Along> expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double error = 16 * noise_[i] / (kNearby * kNear * grain_) + .01 * expected[i].size;
    contradicts_[i] = std::fabs(nearby_[i] - expected[i].sum) > error;
  }
}

bool Differences::unsettled(std::size_t input, std::size_t row, std::size_t column, double analytic,
                            const Estimate& estimate) {
  if (contradicts_[row] || !is_fine(estimate, analytic)) return true;
  if (analytic == 0 && estimate.flat) return may_swallow();
  if (analytic == 0 || resolves(estimate, analytic)) return false;
  return is_smaller(input, element(input, row, column), kOtherSize);
}

bool Differences::is_smaller(std::size_t input, std::size_t element, double than) const {
  const double own = std::fabs(replay_.at()[input].at(element));
  return own > 0 && own <= than * sizes_[input];
}

bool Differences::may_swallow() {
  if (!may_swallow_) {
    absorption_ = std::make_unique<Absorption>(replay_, y_);
    may_swallow_ = absorption_->possible(
        [&](Compiled& values) { DirectionLine(values, replay_, direction_).move(1. / 8); });
  }
  return *may_swallow_;
}

std::vector<bool> Differences::swallowed(std::size_t input, std::size_t column) {
  if (!may_swallow()) return {};
  return absorption_->swallowed([&](Compiled& values) {
    std::vector<double> gone;
    line(input, column, 1).move(values.input(input), 0, 1, gone);
  });
}

std::size_t Differences::columns(std::size_t input) const {
  return replay_.at()[input].numel() / blocks_[input];
}

std::size_t Differences::element(std::size_t input, std::size_t row, std::size_t column) const {
  const std::size_t block = row / (rows() / blocks_[input]);
  return block * columns(input) + column;
}

ColumnLine Differences::line(std::size_t input, std::size_t column, double shorter) const {
  const Tensor& x = replay_.at()[input];
  const double size = sizes_[input];
  std::vector<std::size_t> elements;
  std::vector<double> steps;
  for (std::size_t b = 0; b < blocks_[input]; ++b) {
    elements.push_back(b * columns(input) + column);
    const double own = std::fabs(x.at(elements.back()));
    const double measure = own > kOtherSize * size || (own > 0 && shorter == kOwnSize) ? own : size;
    const double step = power_of_two_below(measure / 8) / std::max(shorter, 1.);
    steps.push_back(step * sign_of(b));
  }
  return {x, std::move(elements), std::move(steps), rows()};
}

Line Differences::runner(std::size_t input, const ColumnLine& line) {
  return [this, input, &line](double t, std::vector<double>& out, std::vector<double>& gone) {
    Tensor& x = values_.input(input);
    line.move(x, 0, t, gone);
    read(values_.run(), out);
    line.put_back(x, 0);
  };
}

std::vector<Estimate> Differences::along(std::size_t input, const ColumnLine& line) {
  std::vector<Estimate> out =
      differentiate(runner(input, line), at_, noise_, 1,
                    {.precision = precision_, .grain = grain_, .origin = line.origins()});
  for (std::size_t i = 0; i < out.size(); ++i) to_unit(out[i], line.step(i));
  return out;
}

std::vector<Estimate> Differences::estimate(std::size_t input, std::size_t column, const Enough& enough) {
  std::vector<Estimate> out = along(input, line(input, column, 1));
  // The function may bend on a smaller scale than its argument shows.
  for (const double shorter : {kOwnSize, 0x1p10, 0x1p20, 0x1p30, 0x1p40}) {
    if (enough(out) || shorter * grain_ > kShortest) break;
    const std::vector<Estimate> more = along(input, line(input, column, shorter));
    for (std::size_t i = 0; i < more.size(); ++i) out[i].refine(more[i]);
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
  const auto enough = [&](const std::vector<Estimate>& so_far) {
    for (std::size_t i = 0; i < analytic.size(); ++i) {
      if (unsettled(input, i, column, analytic[i], so_far[i])) return false;
    }
    return agree(so_far);
  };
  std::vector<Estimate> estimates = estimate(input, column, enough);
  if (!agree(estimates) && look_for_noise()) estimates = estimate(input, column, enough);
  std::vector<Report::Entry> out;
  out.reserve(analytic.size());
  std::optional<std::vector<bool>> hidden;
  for (std::size_t i = 0; i < analytic.size(); ++i) {
    Verdict verdict = judge(analytic[i], estimates[i], tolerance);
    if (verdict == Verdict::pass && analytic[i] == 0 && estimates[i].flat) {
      if (!hidden) hidden = swallowed(input, column);
      if (!hidden->empty() && (*hidden)[i]) verdict = Verdict::inconclusive;
    }
    // 0 beside what a typical element changes, but this one is of another kind.
    const bool other = analytic[i] != 0 && is_smaller(input, element(input, i, column), kOtherKind);
    if (verdict == Verdict::pass && other && !resolves(estimates[i], analytic[i])) {
      verdict = Verdict::inconclusive;
    }
    out.push_back(
        {input, i, element(input, i, column), analytic[i], estimates[i].value, estimates[i].error, verdict});
  }
  if (agree(estimates)) return out;
  const ColumnLine closer = line(input, column, 1);
  const std::vector<Sides> sides = compare_sides(runner(input, closer), at_, noise_, 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i].verdict != Verdict::pass) decide(out[i], per_unit(sides[i], closer.step(i)), tolerance);
  }
  return out;
}

bool Differences::look_for_noise() {
  if (looked_for_noise_) return false;
  looked_for_noise_ = true;
  const DirectionLine line(values_, replay_, direction_);
  std::vector<double> found = rounding_noise_beside_jumps(line, kNear * grain_, grain_);
  at_ = line.at_zero();
  for (const std::vector<double>& sample : propagated_rounding(replay_, y_, key_)) {
    for (std::size_t i = 0; i < found.size(); ++i) found[i] = std::max(found[i], std::fabs(sample[i]));
  }
  std::swap(noise_, found);
  return noise_ != found;
}

// Several columns of one input on their way at once: a lane for each, which takes two places of one run.
class Differences::Batch {
 public:
  Batch(const Differences& whole, std::size_t input, std::size_t lanes, int levels)
      : whole_(whole), input_(input), levels_(levels), size_(whole.replay_.at()[input].numel()) {
    const Replay& replay = whole.replay_;
    Tape& tape = replay.tape();
    const Tape::Mark before = tape.mark();
    const Var x = replay.inputs()[input];
    std::vector<std::int64_t> extents{static_cast<std::int64_t>(2 * lanes)};
    extents.insert(extents.end(), x.shape().begin(), x.shape().end());
    const Var many = tape.input("values", Shape(std::move(extents)), x.dtype());
    compiled_ = std::make_unique<Compiled>(replay, std::vector<Var>{vmap(whole.y_, x, many)},
                                           std::span<const Var>(&many, 1));
    tape.rewind(before);
    const std::size_t bytes = byte_size(x.dtype(), size_);
    for (std::size_t place = 0; place < 2 * lanes; ++place) {
      std::memcpy(static_cast<std::byte*>(values().mutable_bytes()) + place * bytes,
                  replay.at()[input].bytes(), bytes);
    }
    read(compiled_->run(), at_zero_);
    lanes_.resize(lanes);
  }

  std::size_t evaluations() const { return evaluations_; }
  bool full() const { return busy_ == lanes_.size(); }
  bool empty() const { return busy_ == 0; }
  void take(std::size_t column) {
    auto free = lanes_.begin();
    while (free->column) ++free;
    free->column.emplace(column, whole_.line(input_, column, levels_ == 1 ? 1 / kPlainStep : 1), levels_,
                         whole_.rows(), whole_.precision_, whole_.grain_);
    ++busy_;
  }
  // One level further in every lane.
  template <class Found>
  void advance(const Found& found) {
    for (std::size_t k = 0; k < lanes_.size(); ++k) {
      if (!lanes_[k].column) continue;
      Column& column = *lanes_[k].column;
      const double t = column.so_far.step();
      column.line.move(values(), 2 * k * size_, t, lanes_[k].up);
      column.line.move(values(), (2 * k + 1) * size_, -t, lanes_[k].down);
    }
    read(compiled_->run(), outputs_);
    evaluations_ += 2 * busy_;
    for (std::size_t k = 0; k < lanes_.size(); ++k) {
      if (!lanes_[k].column) continue;
      Column& column = *lanes_[k].column;
      column.line.put_back(values(), 2 * k * size_);
      column.line.put_back(values(), (2 * k + 1) * size_);
      column.so_far.add(side(2 * k, lanes_[k].up), side(2 * k + 1, lanes_[k].down), whole_.noise_);
      if (!column.so_far.done()) continue;
      std::vector<Estimate>& estimates = column.so_far.estimates();
      for (std::size_t i = 0; i < estimates.size(); ++i) to_unit(estimates[i], column.line.step(i));
      found(column.number, estimates);
      lanes_[k].column.reset();
      --busy_;
    }
  }

 private:
  struct Column {
    Column(std::size_t n, ColumnLine along, int levels, std::size_t rows, double precision, double grain)
        : number(n),
          line(std::move(along)),
          so_far(rows, 1,
                 {.levels = levels, .precision = precision, .grain = grain, .origin = line.origins()}) {}
    std::size_t number;
    ColumnLine line;
    Extrapolation so_far;
  };
  struct Lane {
    std::optional<Column> column;
    std::vector<double> up, down;  // how far the column was moved
  };

  Tensor& values() { return compiled_->input(whole_.replay_.inputs().size()); }
  Extrapolation::Side side(std::size_t place, const std::vector<double>& gone) const {
    const std::size_t rows = whole_.rows();
    return {std::span(outputs_).subspan(place * rows, rows), gone,
            std::span(at_zero_).subspan(place * rows, rows)};
  }

  const Differences& whole_;
  std::size_t input_;
  int levels_;
  std::size_t size_;
  std::unique_ptr<Compiled> compiled_;
  std::vector<double> at_zero_, outputs_;  // by place
  std::vector<Lane> lanes_;
  std::size_t busy_ = 0, evaluations_ = 0;
};

void Differences::estimate_all(
    std::size_t input, bool extrapolate,
    const std::function<void(std::size_t column, const std::vector<Estimate>&)>& found) {
  const std::size_t count = columns(input);
  if (count == 0 || rows() == 0) return;
  const std::size_t numbers = std::max<std::size_t>(replay_.at()[input].numel() + rows(), 1);
  const std::size_t lanes = std::clamp<std::size_t>(kBatchNumbers / 2 / numbers, 1, kMostLanes);
  Batch batch(*this, input, std::min(lanes, count), extrapolate ? Extrapolation::kMostLevels : 1);
  std::size_t next = 0;
  while (next < count || !batch.empty()) {
    while (next < count && !batch.full()) batch.take(next++);
    batch.advance(found);
  }
  in_batches_ += batch.evaluations();
}

std::vector<std::vector<Estimate>> difference_jacobians(const Replay& replay, Var y) {
  Differences differences(replay, y, GradcheckOptions{}.key, 1e-11);
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

}  // namespace backdrop::checking
