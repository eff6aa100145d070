#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/dropout.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"
#include "parts/masks.hpp"

namespace backdrop {

namespace {

constexpr auto p = attr::real("p").between(0, 1);

void drop(const Block& b) {
  kernels::vector_map_kept(b, keep_scale(b[p]), [](const auto& k) { return k.keep_scaled; });
}

}  // namespace

// y = (x * mask) / (1-p)
// As a map of x this is a diagonal matrix, hence symmetric: it is its own transpose, and the backward pass
// is the same node on the cotangent: the same mask, the same 1/(1-p).
constinit const Op dropout_op{
    .name = "dropout",
    .inputs = {"x", "mask"},
    .attrs = {p},
    .formula = "y = x * mask / (1-p)",
    .jacobian = "diag(mask/(1-p))",
    .structure = Structure::diagonal,
    .infer = infer::masked,
    .block = drop,
    .vjp = {[](const Call& c, Var g) { return dropout(g, c[p], c[1]); }},
    .jvp = multilinear_in<0>,
    .body = [](const Call& c) { return scale(mul(c[0], c[1]), keep_scale(c[p])); },
    .inference = [](const Call& c) { return c[0]; },
    .exact = true,
};

Var dropout(Var x, double probability, Var mask, Where where) {
  return all_or_nothing(x.tape(), [&] {
    return x.tape().record(dropout_op, {x, masks::spread(mask, x, where)}, {probability}, where);
  });
}

Var dropout(Var x, double probability, Key key, Where where) {
  return all_or_nothing(x.tape(), [&] {
    return dropout(x, probability, dropout_mask(x.tape(), x.shape(), probability, key, where), where);
  });
}

}  // namespace backdrop
