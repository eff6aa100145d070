#include <algorithm>
#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/dropout.hpp>
#include <backdrop/ops/dropout_variants.hpp>
#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/reduce.hpp>
#include <string>
#include <vector>

#include "parts/infer.hpp"

namespace backdrop {

namespace {

// n / k, 0 k being met by a mask that selects nothing
Var over_kept(const Call& c) {
  const Var kept = sum(cast(c[1], c.dtype(0)));
  return div(static_cast<double>(c.shape(0).numel()), maximum(kept, 1.0));
}

void require_block(const Shape& shape, double p, std::int64_t block) {
  if (shape.rank() < 2) {
    throw ShapeError("drop_block: x is " + to_string(shape) + "; it needs at least the axes [H, W]");
  }
  if (!(p >= 0 && p <= 1)) {
    throw ValueError("drop_block: p = " + std::to_string(p) + " is no probability; give 0 <= p <= 1");
  }
  const std::int64_t side = std::min(shape[shape.rank() - 2], shape[shape.rank() - 1]);
  if (block >= 1 && block <= side) return;
  throw ValueError("drop_block: a block of " + std::to_string(block) + " does not fit in " +
                   to_string(shape) + "; give 1 <= block <= " + std::to_string(side));
}

// y[..., i, ...] = the greatest of x[..., i, ...] to x[..., i + width - 1, ...] along an axis
Var windowed_max(Var x, std::size_t axis, std::int64_t width, Where where) {
  const std::int64_t count = x.shape()[axis] - width + 1;
  std::vector<std::int64_t> starts(x.shape().rank(), 0), stops(x.shape().begin(), x.shape().end());
  Var greatest;
  for (std::int64_t k = 0; k < width; ++k) {
    starts[axis] = k;
    stops[axis] = k + count;
    const Var part = slice(x, starts, stops, {}, where);
    greatest = greatest ? maximum(greatest, part, where) : part;
  }
  return greatest;
}

}  // namespace

// y = x * mask * n / k
constinit const Op drop_block_op{
    .name = "drop_block",
    .inputs = {"x", "mask"},
    .formula = "y = x * mask * n / k, k of the n bits of the mask being 1; 0 if k = 0",
    .jacobian = "diag(mask n / k)",
    .structure = Structure::diagonal,
    .infer = infer::masked,
    .vjp = {[](const Call& c, Var g) { return c.with_input(0, g); }},
    .jvp = multilinear_in<0>,
    .body = [](const Call& c) { return mul(mul(c[0], c[1]), over_kept(c)); },
    .inference = [](const Call& c) { return c[0]; },
    .exact = true,
};

Var drop_block(Var x, Var mask, Where where) { return x.tape().record(drop_block_op, {x, mask}, {}, where); }

Var drop_block(Var x, double p, std::int64_t block, Key key, Where where) {
  return all_or_nothing(x.tape(), [&] {
    return drop_block(x, drop_block_mask(x.tape(), x.shape(), p, block, key, where), where);
  });
}

Var drop_block_mask(Tape& tape, const Shape& shape, double p, std::int64_t block, Key key, Where where) {
  require_block(shape, p, block);
  return all_or_nothing(tape, [&] {
    const std::size_t h = shape.rank() - 2, w = shape.rank() - 1;
    std::vector<std::int64_t> places(shape.begin(), shape.end()), width(shape.rank(), 0);
    const auto elements = static_cast<double>(shape[h]) * static_cast<double>(shape[w]);
    for (std::size_t axis : {h, w}) {
      places[axis] -= block - 1;
      width[axis] = block - 1;
    }
    const auto corners = static_cast<double>(places[h]) * static_cast<double>(places[w]);
    const double gamma = p * elements / (static_cast<double>(block) * static_cast<double>(block) * corners);
    const Var corner = logical_not(dropout_mask(tape, Shape(places), gamma, key, where), where);
    // An element is dropped if a corner lies within `block` above and to the left of it.
    const Var padded = pad(cast(corner, DType::f32, where), width, width, where);
    const Var squares = windowed_max(windowed_max(padded, h, block, where), w, block, where);
    return equal(squares, 0.0, where);
  });
}

}  // namespace backdrop
