#pragma once

#include <backdrop/graph/check_op.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// The recordings that laws look at: samples, in both dtypes, as they are written and in variants.
namespace backdrop {

/// The last three apply to elementwise ops and record the op alone, on inputs of another size.
enum class Variant { as_written, scalar, empty, large };

class Case {
 public:
  const OpSample sample;
  const Variant variant;
  SampleMaker maker;
  Var y;               ///< the result
  std::size_t at = 0;  ///< the sampled op's node

  /// Where what the law is about was recorded: "dropout [arithmetic.cpp:12], f64, large".
  std::string name() const;
  bool float_result() const { return is_float(y.dtype()); }

  Tape& tape() { return maker.tape(); }
  const Op& op() const { return *op_; }
  /// A leaf of the type of v with numbers in [-1, 1]: a cotangent or a tangent.
  Var direction(Var v) { return maker.fixed(maker.real(v.shape(), {-1, 1}, v.dtype())); }

  struct Subset {
    std::string name;
    std::vector<Var> xs;
  };
  /// The subsets of differentiable leaves: all that are not empty, but of more than three leaves only the
  /// singles and the whole.
  std::vector<Subset> subsets() const;

  Case(const Op& op, const OpSample& s, DType dtype, Variant v)
      : sample(s), variant(v), maker(dtype), op_(&op) {}

 private:
  const Op* op_;
};

/// One sample in one dtype; nullptr where the variant does not apply. Made again it is the same: feeds, keys
/// and step. Throws GraphError when the sample does not record the op.
std::unique_ptr<Case> make_case(const Op& op, const OpSample& sample, DType dtype,
                                Variant variant = Variant::as_written);
std::string name_of(const Op& op, const OpSample& sample, DType dtype, Variant variant);

/// The step at which cases are run.
inline constexpr std::uint32_t kStep = 3;

struct HowToRun {
  bool optimize = true;
  int threads = 1;
  std::uint32_t step = kStep;
};
/// The values of these nodes of the case's tape, or of one made from it that has the same inputs.
std::vector<Tensor> values(const Case& c, std::span<const Var> vars, const HowToRun& how = {});

Tensor value_of(const Case& c, Var v);

/// The Vars of a first and second order derivative that a law compares. Of a scalar made of y with the
/// direction g, in the directions ts.
struct Derivatives2 {
  std::vector<Var> reverse;  ///< J' g
  Var forward;               ///< J t
  std::vector<Var> second;   ///< the gradient of <J' g, t>
};
Derivatives2 differentiate(Var y, std::span<const Var> xs, Var g, std::span<const Var> ts);
/// All of them in order.
std::vector<Var> listed(const Derivatives2& d);

/// The result and, where it has any, its derivatives in all leaves.
std::vector<Var> results(Case& c);

/// The largest difference in units of `epsilon` times the largest magnitude in `b`, or times `least` if that
/// is larger; infinite where one is NaN or infinite and the other is not the same.
double distance(const Tensor& a, const Tensor& b, double epsilon, double least = 0);
double epsilon_of(DType dtype);

}  // namespace backdrop
