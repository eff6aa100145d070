#pragma once

#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <string>
#include <vector>

/// What tests of a user's ops have in common: they see no more than the public headers.
namespace custom {

using namespace backdrop;

inline Type like_x(const Call& c) {
  if (!is_float(c.dtype(0))) {
    throw DTypeError(std::string(c.name()) + ": x is " + to_string(c.dtype(0)) + "; f32 or f64 is needed");
  }
  return c.type(0);
}

inline Var record(const Op& op, Var x, Where where = Where::here()) {
  return x.tape().record(op, {x}, {}, where);
}

template <const Op& kOp>
std::vector<OpSample> of_vectors() {
  return {[](SampleMaker& m) { return record(kOp, m.real({5})); },
          [](SampleMaker& m) { return record(kOp, m.real({0})); }};
}

struct Wrong {
  const Op& op;
  std::vector<OpSample> samples;
  OpLaw law;
  const char* text;  // what the report says
};

inline bool mentions(const OpReport& report, const char* text) {
  return to_string(report).find(text) != std::string::npos;
}

/// `others` are ops that the wrong one records with.
inline void check_breaks(const Wrong& wrong, const std::vector<const Op*>& others = {}) {
  const OpReport report =
      check_op(wrong.op, wrong.samples, {.laws = {wrong.law}, .ops = others, .shown = 99});
  INFO(to_string(report));
  CHECK_FALSE(report.passed());
  CHECK(report[wrong.law].failed > 0);
  CHECK(mentions(report, wrong.text));
  CHECK(mentions(report, wrong.op.name));
}

}  // namespace custom
