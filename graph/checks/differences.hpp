#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

/// Derivatives from values alone.
namespace backdrop {

/// The outputs of a function at distance t along a line, and the distance actually gone, which rounding may
/// have changed: one for all outputs, or one for each.
using Line = std::function<void(double t, std::vector<double>& outputs, std::vector<double>& gone)>;

/// How much rounding moves each output, from the differences of values so close together that nothing else
/// can: More and Wild, "Estimating computational noise", SISC 33 (2011). At least half an ulp of the value,
/// and the least number there is.
std::vector<double> rounding_noise(const Line& f, double spacing, double epsilon);
/// From both sides of 0: what one of them shows a thousand times as much of as the other is a jump, not
/// noise.
std::vector<double> rounding_noise_beside_jumps(const Line& f, double spacing, double epsilon);

/// A derivative along a line at 0 and how far it may be wrong.
struct Estimate {
  double value = 0;
  double error = 0;    ///< infinite when no difference was finite
  double visible = 0;  ///< the slope of the largest change seen: errors far below it are small
  bool flat = true;    ///< no step changed the value at all

  /// Takes over what smaller steps say: where it is better known, and where it clearly is another slope,
  /// since then a branch, a pole or a period lies within the larger steps.
  void refine(const Estimate& closer);
};

/// Central differences at steps h, h/2, h/4, ..., extrapolated to 0 until rounding or the number of levels
/// stops it: Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Adv. Eng. Software 4 (1982). One for
/// each output of a line, level by level as the values come in, so that many lines can be on their way at
/// once.
class Extrapolation {
 public:
  static constexpr int kMostLevels = 10;

  struct Options {
    int levels = kMostLevels;
    double precision = 1e-11;  ///< relative: no further step is taken once all outputs are known that well
    /// Where rounding keeps the two points of a step from lying evenly about 0: the spacing of numbers there,
    /// relative to the step or `origin` (none, one, or one for each output), whichever is larger.
    double grain = 0;
    std::vector<double> origin{};
  };
  Extrapolation(std::size_t outputs, double step, Options options);

  /// The distance from 0 at which the next two values are wanted.
  double step() const { return step_; }
  bool done() const { return done_; }
  /// The outputs at step() and -step(), the distances that were gone, and the outputs at 0 beside either.
  struct Side {
    std::span<const double> outputs, gone, at_zero;
  };
  void add(const Side& above, const Side& below, const std::vector<double>& noise);
  std::vector<Estimate>& estimates() { return estimates_; }

 private:
  void extrapolate(std::size_t output, double difference, double floor);

  double step_;
  Options options_;
  int level_ = 0;
  bool done_ = false;
  std::vector<double> rows_;  // of the table of each output the last row
  std::vector<int> lengths_;  // of that row
  std::vector<Estimate> estimates_;
};

/// An Extrapolation from beginning to end.
std::vector<Estimate> differentiate(const Line& f, const std::vector<double>& at_zero,
                                    const std::vector<double>& noise, double step,
                                    const Extrapolation::Options& options);

/// What lies on either side of 0.
struct Sides {
  bool kink = false;   ///< the slopes differ, and go on differing as the step shrinks
  bool alone = false;  ///< the function jumps on both sides of the point, whose own value says nothing
  bool rough = false;  ///< central differences fall short by h, not h^2: the second derivative jumps
  double left = 0, right = 0, error = 0;  ///< at a kink: the slopes, and how far off both together may be
  Estimate smooth;                        ///< without a kink: the slope from the smallest useful step
};
/// Compares one-sided differences of each output at steps h, h/4, h/16, ...: their difference falls with h
/// for a smooth function, and stays where a branch changes inside the step. Where it grows as h falls, the
/// function jumps, and the slopes are those of what is left without the jump.
std::vector<Sides> compare_sides(const Line& f, const std::vector<double>& at_zero,
                                 const std::vector<double>& noise, double step);

}  // namespace backdrop
