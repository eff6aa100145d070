#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/dropout.hpp>

#include "parts/infer.hpp"
#include "parts/masks.hpp"

namespace backdrop {

namespace {

constexpr auto p = attr::real("p").between(0, 1);
constexpr auto scale_by_keep = attr::boolean("scale_by_keep").or_else(true);

}  // namespace

// y = x * mask / (1-p), or x * mask. Linear in x and its own transpose, as dropout.
constinit const Op drop_path_op{
    .name = "drop_path",
    .inputs = {"x", "mask"},
    .attrs = {p, scale_by_keep},
    .formula =
        "y = x * mask / (1-p), a sample kept or dropped as a whole; without scale_by_keep y = x * mask",
    .jacobian = "diag(mask/(1-p)); without scale_by_keep diag(mask)",
    .structure = Structure::diagonal,
    .infer = infer::masked,
    .vjp = {[](const Call& c, Var g) { return c.with_input(0, g); }},
    .jvp = multilinear_in<0>,
    .body = [](const Call& c) { return c[scale_by_keep] ? dropout(c[0], c[p], c[1]) : mul(c[0], c[1]); },
    .inference = [](const Call& c) { return c[scale_by_keep] ? c[0] : scale(c[0], 1 - c[p]); },
    .exact = true,
};

Var drop_path(Var x, double probability, Var mask, bool scaled, Where where) {
  return all_or_nothing(x.tape(), [&] {
    const Var whole = masks::spread(masks::leading("drop_path", mask, x, 1, where), x, where);
    return x.tape().record(drop_path_op, {x, whole}, {probability, scaled}, where);
  });
}

Var drop_path(Var x, double probability, Key key, bool scaled, Where where) {
  return all_or_nothing(x.tape(), [&] {
    const Shape per_sample = masks::leading("drop_path", x.shape(), 1);
    return drop_path(x, probability, dropout_mask(x.tape(), per_sample, probability, key, where), scaled,
                     where);
  });
}

}  // namespace backdrop
