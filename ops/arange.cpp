#include <backdrop/core/error.hpp>
#include <backdrop/ops/create.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/elementwise.hpp"

namespace backdrop {

namespace {

constexpr auto count = attr::integer("count");
constexpr auto start = attr::real("start");
constexpr auto step = attr::real("step");
constexpr auto dtype = attr::dtype("dtype");

// i64 are exact as doubles up to here, and so is what is computed with them.
bool is_whole(double number) { return std::abs(number) <= 0x1p53 && number == std::trunc(number); }

Type infer_arange(const Call& c) {
  if (c[dtype] == DType::mask) throw DTypeError("arange: makes f32, f64 or i64, not a mask");
  const double last = c[start] + static_cast<double>(c[count]) * c[step];
  if (c[dtype] == DType::i64 && !(is_whole(c[start]) && is_whole(c[step]) && is_whole(last))) {
    throw ValueError("arange: start " + std::to_string(c[start]) + " and step " + std::to_string(c[step]) +
                     " make no i64 of at most 2^53; use f64");
  }
  return {c[dtype], c.tape.intern(Shape(std::vector<std::int64_t>{c[count]}, c.name()))};
}

void fill(const Block& b) {
  kernels::with_number(b.dtype(), [&]<class T>(T) {
    auto* y = static_cast<T*>(b.y);
    const double first = b[start], by = b[step];
    for (std::size_t k = 0; k < b.count; ++k) {
      y[k] = static_cast<T>(first + static_cast<double>(b.first + k) * by);
    }
  });
}

}  // namespace

// y[i] = start + i step
constinit const Op arange_op{
    .name = "arange",
    .attrs = {count, start, step, dtype},
    .formula = "y[i] = start + i step, i < count",
    .jacobian = "has no inputs",
    .infer = infer_arange,
    .block = fill,
};

Var arange(Tape& tape, std::int64_t n, double from, double by, DType type, Where where) {
  return tape.record(arange_op, {}, {n, from, by, type}, where);
}

}  // namespace backdrop
