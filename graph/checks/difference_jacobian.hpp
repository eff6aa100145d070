#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "checks/absorption.hpp"
#include "checks/checking.hpp"

namespace backdrop::checking {

/// Moves one element in every block of one input, by t steps of its own size.
class ColumnLine {
 public:
  ColumnLine(const Tensor& x, std::vector<std::size_t> elements, std::vector<double> steps, std::size_t rows);

  /// In `x`, which holds the input from element `offset` on; `gone`: how far, for each output or for all.
  void move(Tensor& x, std::size_t offset, double t, std::vector<double>& gone) const;
  void put_back(Tensor& x, std::size_t offset) const;
  double step(std::size_t row) const { return steps_[row / rows_]; }
  /// How far each output's element is from 0, in steps: for each output or for all.
  std::vector<double> origins() const;

 private:
  std::size_t rows_;  // outputs of a block
  std::vector<std::size_t> elements_;
  std::vector<double> steps_, here_;
};

/// The Jacobian of one output tensor by differences, compiled once. Where y consists of runs that depend on
/// one run of an input each (independent_blocks), one column of every block is estimated at once.
class Differences {
 public:
  using Enough = std::function<bool(const std::vector<Estimate>&)>;  // false: with smaller steps, too

  /// Estimates need not be better than `precision`, relative to their size.
  Differences(const Replay& replay, Var y, Key key, double precision);
  std::size_t rows() const { return at_.size(); }
  std::size_t blocks(std::size_t input) const { return blocks_[input]; }
  /// From now on one block, every column by itself.
  void look_whole(std::size_t input) { blocks_[input] = 1; }
  /// How often y was evaluated so far.
  std::size_t evaluations() const { return in_batches_ + values_.runs(); }
  /// Columns of a block.
  std::size_t columns(std::size_t input) const;
  /// The element of the input that is column `column` of the block that output `row` is in.
  std::size_t element(std::size_t input, std::size_t row, std::size_t column) const;

  /// Holds slopes of the outputs so close to the point that nothing but rounding is nearer against J d, d
  /// being the direction (of each input's elements) they were taken along. Outputs that contradict are looked
  /// at with all sizes of steps from now on: a branch, a pole or a peak may lie within the usual ones.
  const std::vector<std::vector<double>>& direction() const { return direction_; }
  struct Along {
    double sum = 0, size = 0;  ///< of J d, and of its terms without their signs
  };
  void compare_nearby(std::span<const Along> expected);
  /// Whether a first estimate that agrees does not settle this derivative: see compare_nearby; or the element
  /// is of another size than the rest, and what a step of theirs shows hides it.
  bool unsettled(std::size_t input, std::size_t row, std::size_t column, double analytic,
                 const Estimate& estimate);

  /// The derivatives of all outputs by this column of their blocks; smaller steps are tried until they are
  /// `enough`.
  std::vector<Estimate> estimate(std::size_t input, std::size_t column, const Enough& enough);
  /// The same, compared with analytic derivatives.
  std::vector<Report::Entry> check(std::size_t input, std::size_t column, const std::vector<double>& analytic,
                                   double tolerance);
  /// First estimates for every column of an input, many in one run: with `extrapolate`, or from one step
  /// each. They come in the order in which they are found.
  void estimate_all(std::size_t input, bool extrapolate,
                    const std::function<void(std::size_t column, const std::vector<Estimate>&)>& found);

 private:
  class Batch;
  ColumnLine line(std::size_t input, std::size_t column, double shorter) const;
  bool is_smaller(std::size_t input, std::size_t element, double than) const;
  bool may_swallow();
  /// Of each output whether rounding swallows a step of the column on its way there; empty: of none.
  std::vector<bool> swallowed(std::size_t input, std::size_t column);
  /// Leaves jumps out of the noise, and adds what values nearby do not show; whether that changes it.
  bool look_for_noise();
  Line runner(std::size_t input, const ColumnLine& line);
  std::vector<Estimate> along(std::size_t input, const ColumnLine& line);

  const Replay& replay_;
  Var y_;
  Key key_;
  bool looked_for_noise_ = false;
  std::vector<std::size_t> blocks_;
  std::vector<double> sizes_;  // typical ones, of the inputs
  Compiled values_;
  double precision_, grain_;
  std::vector<std::vector<double>> direction_;
  std::vector<double> noise_, at_, nearby_;
  std::vector<bool> contradicts_;  // by output
  std::unique_ptr<Absorption> absorption_;
  std::optional<bool> may_swallow_;
  std::size_t in_batches_ = 0;  // evaluations
};

/// Of each input, dy/dx as [rows, columns] by differences alone.
std::vector<std::vector<Estimate>> difference_jacobians(const Replay& replay, Var y);

}  // namespace backdrop::checking
