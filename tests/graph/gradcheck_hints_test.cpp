#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <string>
#include <vector>

// Which node is wrong, and why, is answered by the report alone, in every mode and wherever the node stands.
using namespace backdrop;

namespace {

Type like_x(const Call& c) { return c.type(0); }
Var twice_x(const Call& c, Var g) { return mul(g, scale(c[0], 2)); }

constexpr Op square_with(const char* name, Rules vjp) {
  return {.name = name,
          .inputs = {"x"},
          .infer = like_x,
          .vjp = vjp,
          .jvp = {twice_x},
          .body = [](const Call& c) { return square(c[0]); }};
}
Var next_row(Var g) { return concat({slice(g, {1}, {kEnd}), slice(g, {0}, {1})}, 0); }
Var next_column(Var g) { return concat({slice(g, {0, 1}, {kEnd, kEnd}), slice(g, {0, 0}, {kEnd, 1})}, 1); }

constinit const Op signs_op =
    square_with("wrong_sign", {[](const Call& c, Var g) { return neg(twice_x(c, g)); }});
constinit const Op factor_op =
    square_with("factor_missing", {[](const Call& c, Var g) { return mul(g, c[0]); }});
constinit const Op rows_op =
    square_with("rows_off", {[](const Call& c, Var g) { return next_row(twice_x(c, g)); }});
constinit const Op columns_op =
    square_with("columns_off", {[](const Call& c, Var g) { return next_column(twice_x(c, g)); }});
constinit const Op transposed_op = square_with("transposed", {[](const Call& c, Var g) {
                                                 return transpose(twice_x(c, g), {1, 0});
                                               }});

constexpr auto p = attr::real("p").between(0, 1);
constexpr Op dropout_with(const char* name, Rules vjp) {
  return {.name = name,
          .inputs = {"x", "mask"},
          .attrs = {p},
          .infer = like_x,
          .vjp = vjp,
          .jvp = {[](const Call& c, Var t) { return dropout(t, c[p], c[1]); }},
          .body = [](const Call& c) { return scale(mul(c[0], c[1]), keep_scale(c[p])); }};
}
constinit const Op stale_op =
    dropout_with("stale_mask", {[](const Call& c, Var g) {
                   const Tensor stale = Tensor::mask({{1, 0, 1}, {1, 1, 0}, {0, 1, 1}});
                   return dropout(g, c[p], c.tape.constant(stale));
                 }});
constinit const Op unmasked_op =
    dropout_with("no_mask", {[](const Call& c, Var g) { return scale(g, keep_scale(c[p])); }});
constinit const Op bare_op = dropout_with("bare_mask", {[](const Call& c, Var g) { return mul(g, c[1]); }});

struct Fault {
  const Op* op;
  const char* hint;
};

// exp(op(sin(x))), added up: of the whole no hint can be read.
Report report_of(const Op& op, CheckMode mode) {
  Tape tape;
  const Var x = tape.variable("x", Tensor({{.3, -1.2, 2.5}, {.7, 1.9, -.4}, {.8, 1.1, -2.}}, DType::f64));
  const Var mask = tape.constant(Tensor::mask({{1, 1, 0}, {0, 1, 1}, {1, 1, 1}}));
  const Var y = op.arity() == 1 ? tape.record(op, {sin(x)}, {}, Where::here())
                                : tape.record(op, {sin(x), mask}, {.2}, Where::here());
  return gradcheck(sum(exp(y)), {x}, {.mode = mode});
}

}  // namespace

TEST_CASE("the report says what is wrong with the guilty node, in every mode") {
  const Fault faults[] = {
      {&signs_op, "a sign is wrong"},
      {&factor_op, "a factor 2 is missing"},
      {&rows_op, "the rows of the derivative by the [3, 3] input stand one place off"},
      {&columns_op, "stands one place off along axis 1"},
      {&transposed_op, "the derivative by each [3, 3] input is that of its transpose"},
      {&stale_op, "the mask is not that of the forward pass"},
      {&unmasked_op, "the mask is missing"},
      {&bare_op, "1-p on all kept units"},
  };
  for (const Fault& fault : faults) {
    for (const CheckMode mode :
         {CheckMode::full, CheckMode::directional, CheckMode::taylor, CheckMode::dot_product}) {
      const Report report = report_of(*fault.op, mode);
      INFO(to_string(report));
      CHECK(report.guilty.starts_with(fault.op->name));
      CHECK(report.guilty.find("gradcheck_hints_test.cpp:") != std::string::npos);
      REQUIRE(report.hints.size() == 1);
      CHECK(report.hints[0].find(fault.hint) != std::string::npos);
      CHECK(to_json(report).find(fault.hint) != std::string::npos);
    }
  }
}
