#include <backdrop/core/error.hpp>
#include <backdrop/ops/create.hpp>
#include <string>

#include "kernels/elementwise.hpp"

namespace backdrop {

namespace {

constexpr auto shape = attr::ints("shape");
constexpr auto number = attr::real("value");
constexpr auto dtype = attr::dtype("dtype");

Type infer_full(const Call& c) {
  if (!is_float(c[dtype])) {
    throw DTypeError("full: makes f32 or f64, not " + to_string(c[dtype]) + "; use tape.constant()");
  }
  return {c[dtype], c.tape.intern(Shape(c[shape]))};
}

void fill(const Block& b) {
  kernels::with_float(b.dtype(), [&]<class T>(T) {
    auto* y = static_cast<T*>(b.y);
    for (std::size_t k = 0; k < b.count; ++k) y[k] = static_cast<T>(b[number]);
  });
}

}  // namespace

// y[i] = value
constinit const Op full_op{
    .name = "full",
    .attrs = {shape, number, dtype},
    .formula = "y[i] = value",
    .jacobian = "has no inputs",
    .infer = infer_full,
    .block = fill,
};

Var full(Tape& tape, const Shape& extents, double value, DType type, Where where) {
  return tape.record(full_op, {}, {extents.extents(), value, type}, where);
}

Var full_like(Var x, double value, Where where) { return full(x.tape(), x.shape(), value, x.dtype(), where); }

}  // namespace backdrop
