#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "cases.hpp"

/// The laws of check_op, one function each. What one finds goes into its Bench.
namespace backdrop::laws {

/// An op, its samples, and what a law says about them.
class Bench {
 public:
  Bench(const Op& op, const std::vector<OpSample>& samples, const CheckOpOptions& options,
        OpReport::Result& result)
      : op_(op), samples_(samples), options_(options), result_(result) {}

  const Op& op() const { return op_; }
  const std::vector<OpSample>& samples() const { return samples_; }
  const CheckOpOptions& options() const { return options_; }
  /// The dtype in which differences are taken: f64, where the samples are made in it.
  DType widest() const;
  /// The op and those of the options, without what the library has.
  std::vector<const Op*> own_ops() const;

  /// Calls `law` with every sample in every dtype and in these variants; it says whether it applies. What it
  /// throws is a failure of the case.
  void for_each(std::initializer_list<Variant> variants, const std::function<bool(Case&)>& law);
  /// Notes a failure of a case, or, outside of cases, of the op.
  void fail(const Case& c, const std::string& text) { note(c.name() + ": " + text); }
  void fail(const std::string& text);
  /// Notes that the law looked at the op as a whole.
  void look() { ++result_.cases; }

 private:
  void note(std::string text);

  const Op& op_;
  const std::vector<OpSample>& samples_;
  const CheckOpOptions& options_;
  OpReport::Result& result_;
  bool failed_ = false;  // the case at hand
};

void samples(Bench& b);
void attributes(Bench& b);
void reverse(Bench& b);
void forward(Bench& b);
void second_order(Bench& b);
void transposed(Bench& b);
void tied(Bench& b);
void structure(Bench& b);
void sparsity(Bench& b);
void body(Bench& b);
void precision(Bench& b);
void schedule(Bench& b);
void panels(Bench& b);
void purity(Bench& b);
void reload(Bench& b);
void refold(Bench& b);
void batch(Bench& b);
void refusals(Bench& b);

/// The sampled call as it stands.
struct SampledCall {
  std::vector<Var> inputs;
  std::vector<AttrValue> attrs;
};
SampledCall sampled(Case& c);

/// Whether the case has a float result, and leaves to differentiate it in.
bool has_derivatives(const Case& c);
bool draws(const Tape& tape, bool numbers_only = false);

}  // namespace backdrop::laws
