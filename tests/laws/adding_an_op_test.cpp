#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

#include "laws/cases.hpp"

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
  s.add(gaussian_op, [](Maker& m) { return gaussian(m.real({2, 3})); });
  s.add(log_cosh_op, [](Maker& m) { return log_cosh(m.real({2, 3})); });
}

void for_each_case_here(void (*f)(Case&)) {
  Samples s;
  samples(s);
  for (const Sample& sample : s.all()) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      const std::unique_ptr<Case> c = make_case(sample, dtype);
      CAPTURE(c->name());
      f(*c);
    }
  }
}

}  // namespace

TEST_CASE("the ops of docs/adding_an_op.md have the derivatives that differences confirm") {
  for_each_case_here([](Case& c) {
    for (const CheckMode mode : {CheckMode::full, CheckMode::second_order, CheckMode::dot_product}) {
      const Report report = gradcheck(c.y, c.maker.differentiable(),
                                      {.mode = mode, .feeds = c.maker.feeds(), .step = std::nullopt});
      CHECK_MESSAGE(report.passed(), to_string(report));
    }
  });
}

TEST_CASE("the composite of docs/adding_an_op.md equals its body") {
  for_each_case_here([](Case& c) {
    if (!c.op().is_composite()) return;
    const FusedVsComposed table = fused_vs_composed(c.y, {.feeds = c.maker.feeds(), .step = std::nullopt});
    CHECK_MESSAGE(table.passed(), to_string(table));
  });
}

TEST_CASE("the ops of docs/adding_an_op.md are dumped and loaded") {
  for_each_case_here([](Case& c) {
    const std::string text = dump_json(c.tape());
    std::vector<const Op*> further;
    for (const Op* op : kOps) {
      if (find_op(op->name) == nullptr) further.push_back(op);
    }
    const auto loaded = load_json(text, {.ops = further});
    CHECK(dump_json(*loaded) == text);
    CHECK(value_of(c, loaded->var(c.y.index())).same_bits(value_of(c, c.y)));
  });
}

}  // namespace backdrop
