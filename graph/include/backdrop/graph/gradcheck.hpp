#pragma once

#include <array>
#include <backdrop/core/random.hpp>
#include <backdrop/core/tape.hpp>
#include <backdrop/format.hpp>
#include <backdrop/graph/program.hpp>
#include <backdrop/graph/safetensors.hpp>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Checks of derivatives against differences of values. The recording is replayed on a private tape in f64,
/// as a function of the inputs that are checked; all else - masks, Variables, feeds - stays what it is at
/// that step, so dropout stays on and every evaluation has the same mask. Nothing of the user's changes.
namespace backdrop {

enum class CheckMode : std::uint8_t {
  full,         ///< every entry of the Jacobian against extrapolated differences
  directional,  ///< J d against differences along random directions d; the cost does not grow with x
  taylor,       ///< y(x + h d) - y(x) - h J d must fall as h^2, and as h^3 with the second derivative
  dot_product,  ///< <g, J t> = <J' g, t>: forward against reverse rules; no differences
  second_order  ///< full, of the gradient of <w, y> with random weights w
};
std::string_view name(CheckMode mode);

/// Cases in which two of them would be honest: docs/gradcheck.md.
enum class Verdict : std::uint8_t {
  pass,  ///< and a derivative 1 % off would have been told apart
  fail,
  kink,          ///< a branch changes at this point, and the derivative lies between the slopes on its sides
  inconclusive,  ///< rounding hides whatever the derivative is
};
std::string_view name(Verdict verdict);

struct GradcheckOptions {
  CheckMode mode = CheckMode::full;
  std::vector<Feed> feeds{};
  std::optional<std::uint32_t> step{};
  bool forward = false;     ///< full: check the jvp rules instead of the vjp rules
  bool promote = true;      ///< false: everything in the dtypes recorded
  bool extrapolate = true;  ///< false: plain central differences to 1e-6, at a third of the cost; what
                            ///< they do not confirm is looked at as usual
  int directions = 0;       ///< 0: 1 of directional, 4 of taylor and dot_product
  Key key{0x6261636b64726f70U, 0};  ///< draws them
  std::vector<Var> given{};         ///< dy/dx written by hand, one for each input, checked in place of ours:
                                    ///< of x's shape for a scalar y, or of y.shape + x.shape
  double tolerance = 0;  ///< relative; 0 = 1e-8, or as the dtypes of `given` and of an unpromoted check allow
  bool locate = true;    ///< after a failure, look for the first node whose own rules are wrong
};

/// What a check found. Prints as text: verdicts by input, the worst entries, hints, the guilty node.
struct Report {
  struct Entry {
    std::size_t input = 0;   ///< which of the inputs
    std::size_t row = 0;     ///< element of y, or number of the direction
    std::size_t column = 0;  ///< element of the input
    double analytic = 0, numeric = 0;
    double error = 0;  ///< of `numeric`
    Verdict verdict = Verdict::pass;
  };
  struct Input {
    std::string name;
    Shape shape;
    std::array<std::size_t, 4> count{};  ///< entries by verdict
  };
  /// One direction of a Taylor test: remainders at h, h/2, h/4, ..., and the power of h they fall with.
  struct Trend {
    int order = 1;  ///< derivatives taken off
    std::vector<double> steps, remainders;
    double rate = 0;
    bool linear = false;  ///< nothing remains but rounding
    Verdict verdict = Verdict::pass;
  };

  CheckMode mode = CheckMode::full;
  std::string subject;  ///< the node checked and its source line
  Shape shape;          ///< of y
  std::vector<Input> inputs;
  std::size_t evaluations = 0;  ///< of y, or of its gradient, to take differences of
  std::vector<Entry> worst;     ///< the five worst, failures first
  std::vector<Trend> trends;
  std::vector<std::string> hints;
  std::string guilty;  ///< the first node whose own rules are wrong, when looked for and found
  std::string again;   ///< the call that gives this report again
  /// Why y is no function, where it is none: the first node that draws new bits, or is another for another
  /// reason, when y is recorded or evaluated once more. Nothing else is checked then.
  std::string no_function;

  std::size_t count(Verdict verdict) const;
  /// Whether nothing failed and nothing was inconclusive.
  bool passed() const {
    return no_function.empty() && count(Verdict::fail) == 0 && count(Verdict::inconclusive) == 0;
  }
  explicit operator bool() const { return passed(); }
  /// What a program that checks should return: 0 passed, 1 something failed, 2 something is inconclusive.
  int exit_code() const { return passed() ? 0 : count(Verdict::fail) > 0 || !no_function.empty() ? 1 : 2; }
};
std::string to_string(const Report& report);
/// So that test frameworks print it when it fails: CHECK(gradcheck(y, {x})) in doctest or Catch2,
/// EXPECT_TRUE(gradcheck(y, {x})) in GoogleTest.
std::ostream& operator<<(std::ostream& out, const Report& report);
/// The same for programs: docs/report.schema.json (JSON Schema 2020-12).
std::string to_json(const Report& report);

/// Checks the derivatives of y in `inputs`: leaves or any float nodes, which are then taken as leaves.
/// y is evaluated twice: a kernel that gives other bits then fails the check. Throws DTypeError for inputs
/// that carry no derivative, GraphError for missing feeds and rules, ValueError when there is no input,
/// for a tolerance outside [0, 1), and for directions below 0.
Report gradcheck(Var y, const std::vector<Var>& inputs, const GradcheckOptions& options = {});

/// Checks what `f` records on a tape and on inputs of these names and values; further inputs of its own are
/// fed by options.feeds. f is called twice: keys drawn within it are other keys then, which fails the check.
/// Throws ValueError for options.given, and as above.
Report gradcheck(const std::function<Var(Tape&, std::span<const Var>)>& f,
                 const std::vector<NamedTensor>& inputs, const GradcheckOptions& options = {});

/// A composite against its body, derivative by derivative.
struct FusedVsComposed {
  struct Row {
    std::size_t input = 0, row = 0, column = 0;
    double difference = 0, error = 0;  ///< finite difference of the body and how far it may be wrong
    double composed = 0, fused = 0;
    bool agree = false;
  };

  std::string subject;
  std::vector<std::string> inputs;
  bool exact = false;     ///< the op promises equal bits
  double tolerance = 0;   ///< else: relative, in units of epsilon
  bool diagonal = false;  ///< off the diagonal all is exactly zero, three times; `rows` has the diagonal only
  bool values_equal = false, reverse_equal = false, forward_equal = false;
  std::vector<Row> rows;

  /// Whether each finite difference is within its error estimate (and rounding to the dtype) of the composed
  /// derivative, and the composed equals the fused one bit for bit, or within the tolerance; values and jvp
  /// too.
  bool passed() const;
  explicit operator bool() const { return passed(); }
};
std::string to_string(const FusedVsComposed& table);
std::ostream& operator<<(std::ostream& out, const FusedVsComposed& table);

/// Opens the composite `node` and compares its own kernel and rules with those of its body, in the dtype of
/// the node, one row for each entry of the Jacobian. Throws GraphError when its op has no body.
FusedVsComposed fused_vs_composed(Var node, const ValueOptions& options = {});

}  // namespace backdrop

template <>
struct fmt::formatter<backdrop::Report> : backdrop::AsText<backdrop::Report> {};
template <>
struct fmt::formatter<backdrop::FusedVsComposed> : backdrop::AsText<backdrop::FusedVsComposed> {};
