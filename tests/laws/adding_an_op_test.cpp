#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

#include "laws/samples.hpp"

// Whoever follows the page has these ops in the library, too: here they have names of their own.
#define gaussian documented_gaussian
#define gaussian_op documented_gaussian_op
#define log_cosh documented_log_cosh
#define log_cosh_op documented_log_cosh_op

// The code of docs/adding_an_op.md, as it stands there: what it puts into a header, its two files, its lines
// of the registry and of the samples.
namespace backdrop {

extern const Op gaussian_op;
extern const Op log_cosh_op;

/// y = e^(-x^2).
Var gaussian(Var x, Where where = Where::here());
/// y = ln cosh x.
Var log_cosh(Var x, Where where = Where::here());

}  // namespace backdrop

#include "laws/adding_an_op/gaussian.cpp"
#include "laws/adding_an_op/log_cosh.cpp"

namespace backdrop {

namespace {

constexpr const Op* kOps[] = {
    &gaussian_op,
    &log_cosh_op,
};

void samples(Samples& s) {
  s.add(gaussian_op, [](SampleMaker& m) { return gaussian(m.real({2, 3})); });
  s.add(log_cosh_op, [](SampleMaker& m) { return log_cosh(m.real({2, 3})); });
}

}  // namespace

TEST_CASE("the ops of docs/adding_an_op.md keep the laws") {
  Samples s;
  samples(s);
  for (const Op* op : kOps) {
    CheckOpOptions options;
    // Whoever follows the page has an op of this name in the library, too.
    if (find_op(op->name) != nullptr) options.skip = {OpLaw::samples, OpLaw::reload};
    CHECK(check_op(*op, s.of(*op), options));
  }
}

}  // namespace backdrop
