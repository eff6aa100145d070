#include "peers/ours.hpp"

#include <backdrop/backdrop.hpp>
#include <string>

namespace backdrop::peers {

namespace {

// The number of a case.
constexpr auto number = attr::integer("number");

const Case& of(const Call& c) { return cases()[static_cast<std::size_t>(c[number])]; }
std::int64_t rows(const Call& c) { return static_cast<std::int64_t>(of(c).rows); }

Type vector_type(const Call& c) { return {c.dtype(0), c.tape.intern({rows(c)})}; }
Type matrix_type(const Call& c) { return {c.dtype(0), c.tape.intern({rows(c), c.shape(0)[0]})}; }

constinit const Op jacobian_op{
    .name = "jacobian_by_hand",
    .inputs = {"x"},
    .attrs = {number},
    .infer = matrix_type,
    .eval = [](const Eval& e) { of(e.call).jacobian(e.x[0].as<const double>(), e.y.as<double>()); },
};

Var jacobian(const Call& c) { return c.tape.record(jacobian_op, {c[0]}, {c[number]}, Where::here()); }

constinit const Op function_op{
    .name = "function_by_hand",
    .inputs = {"x"},
    .attrs = {number},
    .infer = vector_type,
    .eval = [](const Eval& e) { of(e.call).value(e.x[0].as<const double>(), e.y.as<double>()); },
    .vjp = {[](const Call& c, Var g) {
      return reshape(matmul(reshape(g, {1, rows(c)}), jacobian(c)), c.shape(0));
    }},
    .jvp = {[](const Call& c, Var t) {
      return reshape(matmul(jacobian(c), reshape(t, {c.shape(0)[0], 1})), {rows(c)});
    }},
};

// 2x whose own derivative is 3, and the square with it.
Var thrice(const Call&, Var v) { return scale(v, 3); }
constinit const Op doubled_op{.name = "doubled_by_hand",
                              .inputs = {"x"},
                              .infer = [](const Call& c) { return c.type(0); },
                              .vjp = {thrice},
                              .jvp = {thrice},
                              .body = [](const Call& c) { return scale(c[0], 2); }};
Var by_doubled(const Call& c, Var v) { return v * c.tape.record(doubled_op, {c[0]}, {}, Where::here()); }
constinit const Op square_op_by_hand{.name = "square_by_hand",
                                     .inputs = {"x"},
                                     .infer = [](const Call& c) { return c.type(0); },
                                     .vjp = {by_doubled},
                                     .jvp = {by_doubled},
                                     .body = [](const Call& c) { return square(c[0]); }};

}  // namespace

Report ours(const Case& c) {
  Tape tape;
  Tensor at = Tensor::zeros({static_cast<std::int64_t>(c.x.size())}, DType::f64);
  std::copy(c.x.begin(), c.x.end(), at.mutable_data<double>().begin());
  const Var x = tape.variable("x", at);
  if (c.second_order) {
    const Var y = tape.record(square_op_by_hand, {x}, {}, Where::here());
    return gradcheck(y, {x}, {.mode = CheckMode::second_order});
  }
  const Var y = tape.record(function_op, {x}, {&c - cases().data()}, Where::here());
  return gradcheck(y, {x});
}

}  // namespace backdrop::peers
