#include <array>
#include <backdrop/ops/reduce.hpp>

#include "kernels/reduce.hpp"
#include "parts/along.hpp"
#include "parts/batched.hpp"
#include "parts/infer.hpp"
#include "parts/reduced.hpp"

namespace backdrop {

using along::axis, reduced::keepdims;

namespace {

Type infer_position(const Call& c) {
  along::require_axis(c);
  const std::array<std::int64_t, 1> over{c[axis]};
  return {DType::i64, c.tape.intern(reduced_shape(c.shape(0), over, c[keepdims]))};
}

template <int kSign>
void find(const Eval& e) {
  kernels::arg_extreme(e, static_cast<std::size_t>(e[axis]), kSign);
}

Var record(const Op& op, Var x, std::int64_t over, bool keep, Where where) {
  const auto at = static_cast<std::int64_t>(normalize_axis(op.name, over, x.shape().rank()));
  return x.tape().record(op, {x}, {at, keep}, where);
}

}  // namespace

// y = the position of the greatest element along `axis`
constinit const Op argmax_op{
    .name = "argmax",
    .inputs = {"x"},
    .attrs = {axis, keepdims},
    .formula = "y = the least k with x[k] = max of x along axis; the first NaN if there is one",
    .jacobian = "none: y is an integer",
    .infer = infer_position,
    .eval = find<1>,
    .batch = [](const Call& c, std::span<const Var> x) { return argmax(x[0], c[axis] + 1, c[keepdims]); },
};

// y = the position of the least element along `axis`
constinit const Op argmin_op{
    .name = "argmin",
    .inputs = {"x"},
    .attrs = {axis, keepdims},
    .formula = "y = the least k with x[k] = min of x along axis; the first NaN if there is one",
    .jacobian = "none: y is an integer",
    .infer = infer_position,
    .eval = find<-1>,
    .batch = [](const Call& c, std::span<const Var> x) { return argmin(x[0], c[axis] + 1, c[keepdims]); },
};

Var argmax(Var x, std::int64_t over, bool keep, Where where) {
  return record(argmax_op, x, over, keep, where);
}

Var argmin(Var x, std::int64_t over, bool keep, Where where) {
  return record(argmin_op, x, over, keep, where);
}

}  // namespace backdrop
