#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/create.hpp>
#include <string>

#include "kernels/elementwise.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr auto shape = attr::ints("shape");
constexpr auto number = attr::real("value");
constexpr auto dtype = attr::dtype("dtype");

Type infer_full(const Call& c) {
  if (c[dtype] == DType::mask) {
    throw DTypeError("full: makes f32, f64 or i64, not a mask; use tape.constant()");
  }
  infer::require_value(c, c[dtype], c[number]);
  return {c[dtype], c.tape.intern(Shape(c[shape], c.name()))};
}

void fill(const Block& b) {
  kernels::with_number(
      b.dtype(), [&]<class T>(T) { std::fill_n(static_cast<T*>(b.y), b.count, static_cast<T>(b[number])); });
}

}  // namespace

// y[i] = value
constinit const Op full_op{
    .name = "full",
    .attrs = {shape, number, dtype},
    .formula = "y[i] = value",
    .jacobian = "has no inputs",
    .repeats = [](const Call& c) { return c.y.shape().rank(); },
    .infer = infer_full,
    .block = fill,
};

Var full(Tape& tape, const Shape& extents, double value, DType type, Where where) {
  return tape.record(full_op, {}, {extents.extents(), value, type}, where);
}

Var full_like(Var x, double value, Where where) { return full(x.tape(), x.shape(), value, x.dtype(), where); }

}  // namespace backdrop
