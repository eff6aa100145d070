#include "checks/direction.hpp"

#include <algorithm>
#include <backdrop/graph/gradient.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/reduce.hpp>
#include <cmath>
#include <numeric>

#include "checks/absorption.hpp"

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

}  // namespace

Direction::Direction(const Replay& replay, Draw& draw, Compiled& values) : replay_(replay) {
  direction_ = draw_directions(draw, replay_);
  weights_ = draw.several(y().shape().numel());
  if (weights_.size() > 1) weigh_by_change(values);
  for (std::size_t k = 0; k < direction_.size(); ++k) {
    tangents_.push_back(shaped(direction_[k], replay_.inputs()[k]));
  }
  cotangent_ = shaped(weights_, y());
  for (std::size_t k = 0; k < direction_.size(); ++k) {
    for (std::size_t j = 0; j < direction_[k].size(); ++j) direction_[k][j] = tangents_[k].at(j);
  }
  for (std::size_t i = 0; i < weights_.size(); ++i) weights_[i] = cotangent_.at(i);
}

// Not so much that their rounding would hide it.
void Direction::weigh_by_change(Compiled& values) {
  constexpr int kMost = 100;
  const DirectionLine line(values, replay_, direction_);
  std::vector<double> changes, gone;
  line(kFirstStep / 1024, changes, gone);
  const std::vector<double> here = line.at_zero();
  double change = 0, size = 0;
  for (std::size_t i = 0; i < here.size(); ++i) {
    changes[i] = std::fabs(changes[i] - here[i]);
    if (!std::isfinite(changes[i])) continue;
    change = std::max(change, changes[i]);
    size = std::max(size, std::fabs(here[i]));
  }
  for (std::size_t i = 0; i < here.size(); ++i) {
    if (!(changes[i] > 0) || !std::isfinite(changes[i])) continue;
    int times = std::min(std::ilogb(change) - std::ilogb(changes[i]), kMost);
    if (here[i] != 0) times = std::min(times, std::ilogb(size) - std::ilogb(here[i]));
    weights_[i] = std::ldexp(weights_[i], std::max(times, 0));
  }
}

std::pair<double, double> Direction::reverse(std::vector<std::vector<double>>* terms) const {
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
      if (terms == nullptr) continue;
      std::vector<double>& own = terms->emplace_back();
      for (std::size_t j = 0; j < gradient.numel(); ++j) own.push_back(gradient.at(j) * tangents_[k].at(j));
    }
  }
  tape.rewind(before);
  return total;
}

// w' J for a Jacobian written by hand, of shape y.shape + x.shape.
Tensor Direction::contract(const Tensor& jacobian, std::size_t k) const {
  const std::size_t m = weights_.size(), n = replay_.at()[k].numel();
  std::vector<double> out(n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) out[j] += weights_[i] * jacobian.at(i * n + j);
  }
  return Tensor::from(out, replay_.at()[k].shape());
}

std::pair<double, double> Direction::forward() const {
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

double Direction::second() const {
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

double Direction::propagated_rounding(Key key) const {
  double most = 0;
  for (const std::vector<double>& sample : checking::propagated_rounding(replay_, y(), key)) {
    most = std::max(most, std::fabs(std::inner_product(sample.begin(), sample.end(), weights_.begin(), 0.)));
  }
  return most;
}

DirectionLine Direction::line(Compiled& values, std::size_t input, std::size_t element) const {
  std::vector<std::vector<double>> alone;
  for (const auto& part : direction_) alone.emplace_back(part.size(), 0.);
  alone[input][element] = direction_[input][element];
  return {values, replay_, std::move(alone), weights_};
}

double Direction::size_of(const Tensor& value) const {
  double size = 0;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const double part = std::fabs(weights_[i] * value.at(i));
    if (std::isfinite(part)) size += part;
  }
  return size;
}

bool Direction::is_swallowed() const {
  const std::vector<bool> hidden =
      Absorption(replay_, y()).swallowed([&](Compiled& values) { line(values).move(kFirstStep); });
  return std::find(hidden.begin(), hidden.end(), true) != hidden.end();
}

namespace {

// Kinks that several elements meet at once may bend to opposite sides, so that a derivative right in each of
// them lies outside the slopes along all; and beside wide kinks much that is wrong lies between them. So each
// element is looked at by itself, if there are no more than kMost; of the jvp rules only the sum is known.
void decide_by_elements(Report::Entry& entry, Compiled& values, const Direction& direction,
                        const std::vector<double>& here, const std::vector<double>& noise, bool forward,
                        double tolerance) {
  constexpr std::size_t kMost = 512;
  std::size_t count = 0;
  for (const auto& part : direction.parts()) count += part.size();
  if (count > kMost) {
    if (entry.verdict == Verdict::fail) entry.verdict = Verdict::inconclusive;
    return;
  }
  std::vector<std::vector<double>> terms;
  if (!forward) direction.reverse(&terms);
  double low = 0, high = 0, slack = 0;
  bool alone = false, wrong = false;
  for (std::size_t k = 0; k < direction.parts().size(); ++k) {
    for (std::size_t j = 0; j < direction.parts()[k].size(); ++j) {
      const Sides sides = compare_sides(direction.line(values, k, j), here, noise, kFirstStep)[0];
      low += sides.kink ? std::min(sides.left, sides.right) : sides.smooth.value;
      high += sides.kink ? std::max(sides.left, sides.right) : sides.smooth.value;
      slack += sides.kink ? sides.error : sides.smooth.error;
      alone = alone || sides.alone;
      if (forward) continue;
      Report::Entry own{.analytic = terms[k][j], .verdict = judge(terms[k][j], sides.smooth, tolerance)};
      if (sides.kink) decide(own, sides, tolerance);
      wrong = wrong || own.verdict == Verdict::fail;
    }
  }
  wrong = wrong || !(entry.analytic >= low - slack && entry.analytic <= high + slack);
  entry.verdict = !wrong ? Verdict::kink : alone ? Verdict::inconclusive : Verdict::fail;
  entry.numeric = (low + high) / 2;
  entry.error = (high - low) / 2;
}

}  // namespace

std::vector<double> noise_about(const Direction& direction, const DirectionLine& line, Key key, double eps) {
  std::vector<double> noise = rounding_noise_beside_jumps(line, kNear * eps, eps);
  noise[0] = std::max(noise[0], direction.propagated_rounding(key));
  return noise;
}

void decide(Report::Entry& entry, Compiled& values, const Direction& direction,
            const std::vector<double>& here, const std::vector<double>& noise, const Context& context) {
  const Sides sides = compare_sides(direction.line(values), here, noise, kFirstStep)[0];
  decide(entry, sides, context.tolerance);
  if (sides.kink) {
    decide_by_elements(entry, values, direction, here, noise, context.options.forward, context.tolerance);
  }
}

}  // namespace backdrop::checking
