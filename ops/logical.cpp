#include <backdrop/ops/compare.hpp>

#include "kernels/elementwise.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

namespace {

Type infer_masks(const Call& c) {
  for (std::size_t k = 0; k < c.arity(); ++k) {
    infer::require_dtype(c, k, DType::mask, "; cast(x, DType::mask) makes one from numbers");
    infer::require_same_shape(c, 0, k);
  }
  return c.type(0);
}

template <class F>
void each_byte(const Block& b, F f) {
  const auto* x0 = static_cast<const std::uint8_t*>(b.x[0]);
  const auto* x1 = static_cast<const std::uint8_t*>(b.x[1]);
  kernels::write_mask_bytes(b, [=](std::size_t k) { return f(unsigned{x0[k]}, unsigned{x1[k]}); });
}

}  // namespace

// y = a and b
constinit const Op logical_and_op{
    .name = "logical_and",
    .inputs = {"a", "b"},
    .formula = "y = a and b",
    .jacobian = "none: y is a mask",
    .infer = infer_masks,
    .block = [](const Block& b) { each_byte(b, [](unsigned x, unsigned y) { return x & y; }); },
};

// y = a or b
constinit const Op logical_or_op{
    .name = "logical_or",
    .inputs = {"a", "b"},
    .formula = "y = a or b",
    .jacobian = "none: y is a mask",
    .infer = infer_masks,
    .block = [](const Block& b) { each_byte(b, [](unsigned x, unsigned y) { return x | y; }); },
};

// y = a or b, not both
constinit const Op logical_xor_op{
    .name = "logical_xor",
    .inputs = {"a", "b"},
    .formula = "y = a or b, but not both",
    .jacobian = "none: y is a mask",
    .infer = infer_masks,
    .block = [](const Block& b) { each_byte(b, [](unsigned x, unsigned y) { return x ^ y; }); },
};

// y = not a
constinit const Op logical_not_op{
    .name = "logical_not",
    .inputs = {"a"},
    .formula = "y = not a",
    .jacobian = "none: y is a mask",
    .infer = infer_masks,
    .block =
        [](const Block& b) {
          const auto* x = static_cast<const std::uint8_t*>(b.x[0]);
          kernels::write_mask_bytes(b, [x](std::size_t k) { return ~unsigned{x[k]}; });
        },
};

Var logical_and(Var a, Var b, Where at) { return record_binary(logical_and_op, a, b, at); }
Var logical_or(Var a, Var b, Where at) { return record_binary(logical_or_op, a, b, at); }
Var logical_xor(Var a, Var b, Where at) { return record_binary(logical_xor_op, a, b, at); }
Var logical_not(Var a, Where at) { return a.tape().record(logical_not_op, {a}, {}, at); }

}  // namespace backdrop
