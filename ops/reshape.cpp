#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/layout.hpp>
#include <cstring>
#include <string>

namespace backdrop {

namespace {

constexpr auto shape = attr::ints("shape");

Type infer_reshape(const Call& c) {
  const Shape to(c[shape]);
  if (to.numel() != c.shape(0).numel()) {
    throw ShapeError("reshape: the elements of " + to_string(c.shape(0)) + " do not fill " + to_string(to));
  }
  return {c.dtype(0), c.tape.intern(to)};
}

void copy(const Eval& e) { std::memcpy(e.y.data, e.x[0].data, byte_size(e.y.dtype, e.y.numel())); }

// -1 stands for whatever makes the counts agree.
Shape resolve(std::span<const std::int64_t> extents, const Shape& from) {
  std::vector<std::int64_t> out(extents.begin(), extents.end());
  const auto open = std::find(out.begin(), out.end(), -1);
  if (open == out.end()) return Shape(std::move(out));
  *open = 1;
  const Shape rest(out);
  if (rest.numel() > 0) *open = static_cast<std::int64_t>(from.numel() / rest.numel());
  return Shape(std::move(out));
}

}  // namespace

// y = x, its elements in row-major order under another shape
constinit const Op reshape_op{
    .name = "reshape",
    .inputs = {"x"},
    .attrs = {shape},
    .formula = "y = the elements of x in row-major order under another shape",
    .jacobian = "I",
    .structure = Structure::identity,
    .view = true,
    .infer = infer_reshape,
    .eval = copy,
    .vjp = {[](const Call& c, Var g) { return reshape(g, c.shape(0)); }},
    .jvp = linear,
};

Var reshape(Var x, std::span<const std::int64_t> extents, Where where) {
  const Shape to = resolve(extents, x.shape());
  return x.tape().record(reshape_op, {x}, {to.extents()}, where);
}

}  // namespace backdrop
