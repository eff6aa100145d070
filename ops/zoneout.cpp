#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/dropout.hpp>
#include <backdrop/ops/dropout_variants.hpp>

#include "parts/infer.hpp"
#include "parts/masks.hpp"

namespace backdrop {

namespace {

constexpr auto p = attr::real("p").between(0, 1);

Type infer_states(const Call& c) {
  infer::require_float(c, 0);
  infer::require_same_type(c, 0, 1);
  infer::require_dtype(c, 2, DType::mask, "; cast(x, DType::mask) makes one from numbers");
  infer::require_same_shape(c, 0, 2);
  return c.type(0);
}

// p previous + (1-p) next, and one of them untouched where the other has no part in it
Var mean_state(const Call& c) {
  if (c[p] == 0) return c[1];
  if (c[p] == 1) return c[0];
  return add(scale(c[0], c[p]), scale(c[1], 1 - c[p]));
}

}  // namespace

// y = next where kept, previous where dropped
constinit const Op zoneout_op{
    .name = "zoneout",
    .inputs = {"previous", "next", "mask"},
    .attrs = {p},
    .formula = "y = next where the mask is 1, previous where it is 0 (with probability p)",
    .jacobian = "[diag(1-mask), diag(mask)]",
    .structure = Structure::diagonal,
    .infer = infer_states,
    .body = [](const Call& c) { return where(c[2], c[1], c[0]); },
    .inference = mean_state,
    .exact = true,
};

Var zoneout(Var previous, Var next, double probability, Var mask, Where where) {
  return all_or_nothing(next.tape(), [&] {
    return next.tape().record(zoneout_op, {previous, next, masks::spread(mask, next, where)}, {probability},
                              where);
  });
}

Var zoneout(Var previous, Var next, double probability, Key key, Where where) {
  return all_or_nothing(next.tape(), [&] {
    return zoneout(previous, next, probability,
                   dropout_mask(next.tape(), next.shape(), probability, key, where), where);
  });
}

}  // namespace backdrop
