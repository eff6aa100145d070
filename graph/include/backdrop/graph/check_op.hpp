#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/core/random.hpp>
#include <backdrop/format.hpp>
#include <backdrop/graph/program.hpp>
#include <concepts>
#include <iosfwd>
#include <string>
#include <vector>

/// What the library's own ops are held to, for any op: one call runs all laws. docs/adding_an_op.md shows it.
namespace backdrop {

/// Records a sample: makes its leaves, in f32 or f64, and remembers what they are fed with. Values are a
/// function of the leaf's number, multiples of 2^-12 and so the same numbers in both dtypes.
class SampleMaker {
 public:
  struct Range {
    double low, high;
  };

  explicit SampleMaker(DType dtype) : dtype_(dtype) {}
  SampleMaker(const SampleMaker&) = delete;
  SampleMaker& operator=(const SampleMaker&) = delete;

  DType dtype() const { return dtype_; }
  Tape& tape() { return tape_; }

  /// Leaves of the dtype under test, which the laws differentiate.
  Var real(const Shape& shape) { return real(shape, {-2, 2}); }
  Var real(const Shape& shape, Range range) { return real(shape, range, dtype_); }
  Var real(const Shape& shape, Range range, DType dtype);
  Var positive(const Shape& shape) { return real(shape, {0.25, 2}); }
  /// In [-2, 2] and at least 1/8 away from these kinks of the op.
  Var away_from(std::initializer_list<double> kinks, const Shape& shape);
  /// In [-2, 2], no two elements nearer than a step of the finite differences: for max and sort.
  Var distinct(const Shape& shape);
  /// These numbers: singular points, ties, NaN.
  Var reals(std::initializer_list<NestedList> numbers);
  /// A float leaf in which the op has no derivative.
  Var fixed(Var leaf);

  /// Other leaves.
  Var mask(const Shape& shape);
  Var integers(std::initializer_list<NestedList> numbers);
  /// Numbers in [0, n).
  Var indices(const Shape& shape, std::int64_t n);
  Var leaf(Tensor value);
  /// A key of its own.
  Key key() { return keys_.next(); }

  struct Leaf {
    Var var;
    Tensor value;
    bool differentiable;
  };
  const std::vector<Leaf>& leaves() const { return leaves_; }
  std::vector<Feed> feeds() const;
  std::vector<Var> differentiable() const;

 private:
  DType dtype_;
  Tape tape_;
  std::vector<Leaf> leaves_;
  Keys keys_{20120703};
};

/// What a sample may say about itself.
struct SampleTraits {
  /// false: at a singular point (a kink, a tie, the end of a domain, NaN), where the op has a documented rule
  /// but finite differences mean nothing.
  bool smooth = true;
  /// true: enough elements that threads share the work, too many for a finite difference in each.
  bool large = false;
  /// How far f32 may be from f64: in units of f32's epsilon, relative to the largest magnitude of the result.
  double rounding = 64;
};

/// A way to record an op, on leaves that the SampleMaker makes: `[](SampleMaker& m) { return swish(m.real({2,
/// 3})); }`, or `{{.smooth = false}, [](SampleMaker& m) { ... }}`. The op alone, or with what surrounds it.
struct OpSample {
  using Make = Var (*)(SampleMaker&);

  template <std::convertible_to<Make> F>
  OpSample(F record, Where at = Where::here()) : make(record), where(at) {}
  template <std::convertible_to<Make> F>
  OpSample(const SampleTraits& what, F record, Where at = Where::here())
      : make(record), traits(what), where(at) {}

  Make make;
  SampleTraits traits{};
  Where where;
};

enum class OpLaw : std::uint8_t {
  samples,       ///< there are smooth ones and empty ones, and every attribute is set in two ways
  attributes,    ///< no attribute is without effect
  reverse,       ///< the vjp rules equal differences of values
  forward,       ///< the jvp rules do
  second_order,  ///< derivatives of derivatives equal differences of them: reverse or forward over reverse,
                 ///< and reverse over forward
  transposed,    ///< <g, J t> = <J' g, t>, for every subset of the inputs
  tied,          ///< one Var in two places receives the sum of both derivatives
  structure,     ///< what the literal says of the Jacobian is so: structure, leading, view
  sparsity,      ///< no entry of the Jacobian lies outside of the pattern that follows from the literals
  body,       ///< a composite equals its body: value and derivatives of both orders, every subset of inputs
  precision,  ///< f32 is near f64, derivatives too
  schedule,   ///< the bits depend neither on optimisation nor on the number of threads
  panels,     ///< elementwise, by_panels, repeats, folding: no bit depends on how much is computed at a time
  purity,     ///< a second evaluation, and a second recording, give the same; operands stay as they are
  reload,     ///< dumped and loaded: the same recording, the same bytes, the same bits when it runs
  refold,     ///< fuse(expand(t)) is t
  batch,      ///< vmap over many values is the op on each
  refusals,   ///< what is wrong throws an Error that names the op, and leaves the tape as it was
};
std::string_view name(OpLaw law);

struct CheckOpOptions {
  std::vector<OpLaw> laws{};                          ///< these; none = all
  std::vector<OpLaw> skip{};                          ///< but not these
  std::vector<DType> dtypes{DType::f32, DType::f64};  ///< that the samples are made in
  std::vector<const Op*> ops{};                       ///< further ops of the user's that the samples record
  /// Dtypes that an input takes although the sample's is another (of those that most ops must refuse: a mask
  /// or integers in place of numbers, f32 beside f64). nullptr: none.
  bool (*accepts)(std::size_t input, DType dtype) = nullptr;
  std::size_t shown = 3;  ///< failures of a law that are kept as text
};

/// What the laws found. Prints as text, a line for each law and the first failures under it.
struct OpReport {
  struct Result {
    OpLaw law = OpLaw::samples;
    std::size_t cases = 0;              ///< looked at; 0 = the law does not apply to the op or its samples
    std::size_t failed = 0;             ///< of these
    std::vector<std::string> failures;  ///< the first ones: the sample, its dtype, what differs
    bool passed() const { return failed == 0; }
  };

  std::string op;
  std::vector<Result> laws;

  /// The result of a law that was run. Throws ValueError for another.
  const Result& operator[](OpLaw law) const;
  bool passed() const;
  explicit operator bool() const { return passed(); }
  /// What a program that checks should return.
  int exit_code() const { return passed() ? 0 : 1; }
};
std::string to_string(const OpReport& report);
std::ostream& operator<<(std::ostream& out, const OpReport& report);
/// The same for programs: docs/op_report.schema.json (JSON Schema 2020-12).
std::string to_json(const OpReport& report);

/// Holds an op, of the library or of the user's program, to the laws, on each sample in each dtype; an
/// elementwise op also on inputs of rank 0, empty and large ones that follow from the sample. What a rule or
/// a kernel throws is a failure in the report. Throws ValueError when there is no sample.
OpReport check_op(const Op& op, const std::vector<OpSample>& samples, const CheckOpOptions& options = {});

}  // namespace backdrop

template <>
struct fmt::formatter<backdrop::OpReport> : backdrop::AsText<backdrop::OpReport> {};
