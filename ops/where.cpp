#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/create.hpp>
#include <backdrop/ops/layout.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

namespace {

constexpr auto value = attr::real("value");

Type infer_where(const Call& c) {
  infer::require_dtype(c, 0, DType::mask, "; cast(x, DType::mask) makes one from numbers");
  infer::require_number(c, 1);
  infer::require_same_type(c, 1, 2);
  infer::require_same_shape(c, 0, 1);
  return c.type(1);
}

Type infer_masked_fill(const Call& c) {
  const Type type = infer::masked_numbers(c);
  infer::require_value(c, type.dtype, c[value]);
  return type;
}

Var spread(Var v, const Shape& shape, Where at) {
  return v.shape() == shape ? v : broadcast_to(v, shape, at);
}

}  // namespace

// y = a where the mask is 1, b where it is 0
constinit const Op where_op{
    .name = "where",
    .inputs = {"mask", "a", "b"},
    .formula = "y = a where the mask is 1, b where it is 0",
    .jacobian = "[-, diag(mask), diag(1-mask)]",
    .structure = Structure::diagonal,
    .infer = infer_where,
    .block = kernels::select,
    .vjp = {nullptr, [](const Call& c, Var g) { return mul(g, c[0]); },
            [](const Call& c, Var g) { return mul(g, logical_not(c[0])); }},
    .jvp = {nullptr, [](const Call& c, Var t) { return mul(t, c[0]); },
            [](const Call& c, Var t) { return mul(t, logical_not(c[0])); }},
};

// y = x where the mask is 0, a number where it is 1
constinit const Op masked_fill_op{
    .name = "masked_fill",
    .inputs = {"x", "mask"},
    .attrs = {value},
    .formula = "y = value where the mask is 1, x where it is 0",
    .jacobian = "diag(1-mask)",
    .structure = Structure::diagonal,
    .infer = infer_masked_fill,
    .block = [](const Block& b) { kernels::fill(b, b[value]); },
    .vjp = {[](const Call& c, Var g) { return mul(g, logical_not(c[1])); }},
    .jvp = {[](const Call& c, Var t) { return mul(t, logical_not(c[1])); }},
    .body = [](const Call& c) { return where(c[1], c[value], c[0]); },
    .exact = true,
};

Var where(Var mask, const Operand& a, const Operand& b, Where at) {
  return all_or_nothing(mask.tape(), [&] {
    const auto [x, y] = operands("where", a, b, at);
    const Shape shape = broadcast("where", mask.shape(), x.shape());
    return mask.tape().record(where_op, {spread(mask, shape, at), spread(x, shape, at), spread(y, shape, at)},
                              {}, at);
  });
}

Var masked_fill(Var x, Var mask, double number, Where at) {
  return all_or_nothing(x.tape(), [&] {
    return x.tape().record(masked_fill_op, {x, spread(mask, x.shape(), at)}, {number}, at);
  });
}

}  // namespace backdrop
