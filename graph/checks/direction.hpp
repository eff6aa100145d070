#pragma once

#include <utility>
#include <vector>

#include "checks/checking.hpp"

namespace backdrop::checking {

/// Where steps along a direction begin.
inline constexpr double kFirstStep = .125;

/// One direction in all inputs, with weights on the outputs, and what the rules say about it. Outputs that
/// move little along it weigh more, so that none hides what is wrong in another.
class Direction {
 public:
  Direction(const Replay& replay, Draw& draw, Compiled& values);

  Var y() const { return replay_.roots()[0]; }

  /// <J' w, d>, from the vjp rules or from derivatives written by hand, and the sum of the sizes of its
  /// terms. `terms`: one for each element of each input.
  std::pair<double, double> reverse(std::vector<std::vector<double>>* terms = nullptr) const;
  /// <w, J d>, from the jvp rules.
  std::pair<double, double> forward() const;
  /// d' H d of <w, y>: the derivative of <J' w, d> along d.
  double second() const;
  /// What rounding on the way may do to <w, y>.
  double propagated_rounding(Key key) const;

  DirectionLine line(Compiled& values) const { return {values, replay_, direction_, weights_}; }
  /// The part of the direction that moves one element of one input.
  DirectionLine line(Compiled& values, std::size_t input, std::size_t element) const;
  /// The sum of |w y|.
  double size_of(const Tensor& value) const;
  const std::vector<std::vector<double>>& parts() const { return direction_; }
  /// Whether rounding swallows a step on its way to y.
  bool is_swallowed() const;

 private:
  void weigh_by_change(Compiled& values);
  Tensor contract(const Tensor& jacobian, std::size_t k) const;

  const Replay& replay_;
  std::vector<std::vector<double>> direction_;
  std::vector<double> weights_;
  std::vector<Tensor> tangents_;
  Tensor cotangent_;
};

/// How many directions there are, if the user does not say.
inline int wanted(const Context& context, int usual) {
  return context.options.directions > 0 ? context.options.directions : usual;
}

/// Noise along a direction, jumps left out, and what values nearby do not show added.
std::vector<double> noise_about(const Direction& direction, const DirectionLine& line, Key key, double eps);

/// A derivative along a direction that did not pass, looked at from both sides.
void decide(Report::Entry& entry, Compiled& values, const Direction& direction,
            const std::vector<double>& here, const std::vector<double>& noise, const Context& context);

}  // namespace backdrop::checking
