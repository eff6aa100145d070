#pragma once

#include <array>
#include <backdrop/core/random.hpp>
#include <backdrop/graph/gradcheck.hpp>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "differences.hpp"
#include "replay.hpp"

/// What the modes of gradcheck share.
namespace backdrop::checking {

/// Numbers with random signs and sizes between 1/2 and 3/2, the same for the same key.
class Draw {
 public:
  explicit Draw(Key key) : key_(key) {}
  double next();
  std::vector<double> several(std::size_t count);

 private:
  Key key_;
  std::uint64_t block_ = 0;
};

/// The size that steps in a tensor are measured by: the root mean square of what is not zero in it, or 1.
double typical_size(const Tensor& x);
/// 2^-52, or 2^-23 for an unpromoted check of f32.
double epsilon(DType dtype);

/// Random directions, one for each input and in its units; elements far smaller than the others have their
/// own.
std::vector<std::vector<double>> draw_directions(Draw& draw, const Replay& replay);

/// Moves along one direction in all inputs at once; with weights, the outputs are added up.
class DirectionLine {
 public:
  DirectionLine(Compiled& values, const Replay& replay, std::vector<std::vector<double>> direction,
                std::optional<std::vector<double>> weights = std::nullopt)
      : values_(&values), replay_(&replay), direction_(std::move(direction)), weights_(std::move(weights)) {}
  void operator()(double t, std::vector<double>& out, std::vector<double>& gone) const;
  /// Moves the inputs alone.
  void move(double t) const;
  std::vector<double> at_zero() const;

 private:
  Compiled* values_;
  const Replay* replay_;
  std::vector<std::vector<double>> direction_;
  std::optional<std::vector<double>> weights_;  // of no elements, if y has none
};

/// How far apart points lie that differ only by rounding, in units of epsilon.
inline constexpr double kNear = 4096;

/// How far from the point the nearest slopes are taken that rounding leaves, in units of kNear.
inline constexpr double kNearby = 8;

/// Steps are some hundred times as long as the spacing of numbers, at least.
inline constexpr double kShortest = 0x1p-11;

/// How much better than the tolerance a difference should be known.
inline constexpr double kFiner = .1;

/// The first output of a run as doubles.
void read(const Outputs& run, std::vector<double>& out);

/// What rounding on the way may do to each output: the effect of disturbing every intermediate result by an
/// epsilon up or down, in a few random ways. Values nearby do not show it where they are all rounded alike,
/// as those of 1 - tanh(x)^2 for large x. Costs a few compilations.
std::vector<std::vector<double>> propagated_rounding(const Replay& replay, Var y, Key key);

/// Whether the estimate is so good that a derivative 1 % off would differ.
bool resolves(const Estimate& numeric, double analytic);
/// Whether it is so good, or shows so clearly that there is nothing to see, that smaller steps need not be
/// tried.
bool is_fine(const Estimate& numeric, double analytic);
/// A derivative and its estimate, compared.
Verdict judge(double analytic, const Estimate& numeric, double tolerance);

/// The entries of an input by verdict, and the five worst of them, failures first.
struct Tally {
  std::array<std::size_t, 4> count{};
  std::vector<Report::Entry> worst{};

  void add(const Report::Entry& entry);
  bool failed() const { return count[static_cast<std::size_t>(Verdict::fail)] > 0; }
};
/// Counts an entry and keeps it if it is among the five worst of its report.
void add(Report& report, const Report::Entry& entry);
/// Adds what was counted for one input.
void add(Report& report, std::size_t input, const Tally& tally);

struct Context {
  const Replay& replay;
  const GradcheckOptions& options;
  Report& report;
  double tolerance;
};

/// An entry that did not pass, looked at from both sides.
void decide(Report::Entry& entry, const Sides& sides, double tolerance);

void check_directional(Context context);
void check_taylor(Context context);
void check_dot_product(Context context);

/// "loss, square at train.cpp:12".
std::string subject(Var v);
/// What makes roots no functions: the first node whose value has other bits when all is evaluated once more;
/// "" where there is none.
std::string changed_when_evaluated(std::span<const Var> roots, const ValueOptions& at);
/// The same for two recordings of one function, `a` and `b` being what it returned.
std::string changed_when_recorded(Var a, Var b);

/// The Jacobian of one input, [rows, columns of a block].
struct Dense {
  std::size_t rows = 0, columns = 0, blocks = 1;
  std::vector<double> analytic, numeric;
  std::vector<Verdict> verdicts;
};
/// What the pattern of the failures says about their cause, in plain words.
std::vector<std::string> explain(const std::vector<Dense>& jacobians, const Report& report, const Tape& tape);

}  // namespace backdrop::checking
