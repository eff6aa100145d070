#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/core/random.hpp>
#include <backdrop/graph/program.hpp>
#include <span>
#include <string>
#include <vector>

/// What the laws range over. A new op needs rows in the table of its family (samples/*.cpp) and no law of its
/// own: one row for an elementwise op (broadcast, rank 0, empty, large and tied inputs are derived from it);
/// for others also a row with rank 0 and one with an empty size where the op takes them, and two settings of
/// every attribute. A row reads: s.add(mul_op, [](Maker& m) { return mul(m.real({2, 3}), m.mask({3})); });
namespace backdrop {

struct Range {
  double low, high;
};

/// Records a sample: makes its leaves, in f32 or f64, and remembers what they are fed with. Values are a
/// function of the leaf's number, multiples of 2^-12 and so the same numbers in both dtypes.
class Maker {
 public:
  explicit Maker(DType dtype) : dtype_(dtype) {}
  Maker(const Maker&) = delete;

  DType dtype() const { return dtype_; }
  Tape& tape() { return tape_; }

  /// Leaves of the dtype under test, which the laws differentiate.
  Var real(const Shape& shape, Range range = {-2, 2}) { return real(shape, range, dtype_); }
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
struct Traits {
  /// false: at a singular point (a kink, a tie, the end of a domain, NaN), where the op has a documented rule
  /// but finite differences mean nothing.
  bool smooth = true;
  /// true: enough elements that threads share the work, too many for a finite difference in each.
  bool large = false;
  /// How far f32 may be from f64: in units of f32's epsilon, relative to the largest magnitude of the result.
  double rounding = 64;
};

struct Sample {
  using Make = Var (*)(Maker&);

  const Op* op;
  Make make;  ///< records the op once, or with what surrounds it, and returns the result
  Traits traits;
  Where where;
};

class Samples {
 public:
  void add(const Op& op, Sample::Make make, Where where = Where::here()) { add(op, {}, make, where); }
  void add(const Op& op, Traits traits, Sample::Make make, Where where = Where::here()) {
    all_.push_back({&op, make, traits, where});
  }
  std::span<const Sample> all() const { return all_; }

 private:
  std::vector<Sample> all_;
};

/// All tables, one after the other.
std::span<const Sample> all_samples();

/// The tables, by family.
void arithmetic_samples(Samples& s);
void elementwise_samples(Samples& s);
void compare_samples(Samples& s);
void create_samples(Samples& s);
void reduce_samples(Samples& s);
void scan_samples(Samples& s);
void layout_samples(Samples& s);
void index_samples(Samples& s);
void matmul_samples(Samples& s);
void convolution_samples(Samples& s);
void dropout_samples(Samples& s);
void random_samples(Samples& s);
void normalize_samples(Samples& s);
void loss_samples(Samples& s);
void attention_samples(Samples& s);
void recurrent_samples(Samples& s);
void checkpoint_samples(Samples& s);

}  // namespace backdrop
