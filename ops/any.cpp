#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/reduce.hpp>

#include "parts/infer.hpp"
#include "parts/reduced.hpp"

namespace backdrop {

using reduced::axes, reduced::keepdims;

namespace {

Type infer_quantifier(const Call& c) {
  infer::require_dtype(c, 0, DType::mask, "; cast(x, DType::mask) makes one from numbers");
  require_canonical_axes(c, c[axes]);
  return {DType::mask, c.tape.intern(reduced_shape(c.shape(0), c[axes], c[keepdims]))};
}

}  // namespace

// y = 1 where some element over `axes` is 1
constinit const Op any_op{
    .name = "any",
    .inputs = {"x"},
    .attrs = {axes, keepdims},
    .formula = "y = 1 where x is 1 somewhere over axes",
    .jacobian = "none: y is a mask",
    .infer = infer_quantifier,
    .body = [](const Call& c) { return greater(sum(cast(c[0], DType::f32), c[axes], c[keepdims]), 0); },
};

// y = 1 where every element over `axes` is 1
constinit const Op all_op{
    .name = "all",
    .inputs = {"x"},
    .attrs = {axes, keepdims},
    .formula = "y = 1 where x is 1 everywhere over axes",
    .jacobian = "none: y is a mask",
    .infer = infer_quantifier,
    .body = [](const Call& c) { return logical_not(any(logical_not(c[0]), c[axes], c[keepdims])); },
};

Var any(Var x, std::span<const std::int64_t> over, bool keep, Where where) {
  return reduced::record(any_op, x, over, keep, where);
}

Var all(Var x, std::span<const std::int64_t> over, bool keep, Where where) {
  return reduced::record(all_op, x, over, keep, where);
}

}  // namespace backdrop
