#include <backdrop/ops/dropout.hpp>

#include "kernels/random.hpp"

namespace backdrop {

namespace {

constexpr auto shape = attr::ints("shape");
constexpr auto p = attr::real("p").between(0, 1);
constexpr auto key = attr::key("key");

void draw(const Block& b) {
  kernels::draw_mask(b[key], b.step, DropThreshold(b[p]), b.first, b.count, static_cast<std::uint8_t*>(b.y));
}

}  // namespace

// y[e] = 1 (kept) with probability 1-p: the bits of (key, step) that element e owns
constinit const Op dropout_mask_op{
    .name = "dropout_mask",
    .attrs = {shape, p, key},
    .formula = "y[e] = kept(key, step, p, e)",
    .jacobian = "has no inputs",
    .random = true,
    .infer =
        [](const Call& c) {
          return Type{DType::mask, c.tape.intern(Shape(c[shape], c.name()))};
        },
    .block = draw,
};

Var dropout_mask(Tape& tape, const Shape& extents, double probability, Key source, Where where) {
  return tape.record(dropout_mask_op, {}, {extents.extents(), probability, source}, where);
}

}  // namespace backdrop
