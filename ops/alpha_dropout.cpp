#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/dropout.hpp>
#include <backdrop/ops/dropout_variants.hpp>
#include <cmath>

#include "parts/infer.hpp"
#include "parts/masks.hpp"

namespace backdrop {

namespace {

constexpr auto p = attr::real("p").between(0, 1);

// -lambda alpha of selu, which it saturates at.
constexpr double kSaturation = -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717;

// a x + b brings mean 0 and variance 1 back.
struct Affine {
  double a, b;
};

Affine affine(double dropping) {
  const double keeping = 1 - dropping;
  if (keeping == 0) return {0, 0};
  const double a = 1 / std::sqrt(keeping * (1 + dropping * kSaturation * kSaturation));
  return {a, -a * dropping * kSaturation};
}

Var saturate_and_restore(const Call& c) {
  const Var chosen = where(c[1], c[0], kSaturation);
  if (c[p] == 0) return chosen;  // x + 0 would change the bits of -0
  const auto [a, b] = affine(c[p]);
  return add(scale(chosen, a), b);
}

}  // namespace

// y = a (x or s) + b
constinit const Op alpha_dropout_op{
    .name = "alpha_dropout",
    .inputs = {"x", "mask"},
    .attrs = {p},
    .formula =
        "y = a (x where the mask is 1, s where it is 0) + b; s = -1.7580993408473769, "
        "a = ((1-p) (1 + p s^2))^(-1/2), b = -a p s; a = b = 0 for p = 1",
    .jacobian = "diag(a mask)",
    .structure = Structure::diagonal,
    .infer = infer::masked,
    .body = saturate_and_restore,
    .inference = [](const Call& c) { return c[0]; },
    .exact = true,
};

Var alpha_dropout(Var x, double probability, Var mask, Where where) {
  return all_or_nothing(x.tape(), [&] {
    return x.tape().record(alpha_dropout_op, {x, masks::spread(mask, x, where)}, {probability}, where);
  });
}

Var alpha_dropout(Var x, double probability, Key key, Where where) {
  return all_or_nothing(x.tape(), [&] {
    return alpha_dropout(x, probability, dropout_mask(x.tape(), x.shape(), probability, key, where), where);
  });
}

Var feature_alpha_dropout(Var x, double probability, Var mask, Where where) {
  return all_or_nothing(x.tape(), [&] {
    return alpha_dropout(x, probability, masks::leading("feature_alpha_dropout", mask, x, 2, where), where);
  });
}

Var feature_alpha_dropout(Var x, double probability, Key key, Where where) {
  return all_or_nothing(x.tape(), [&] {
    const Shape per_feature = masks::leading("feature_alpha_dropout", x.shape(), 2);
    return alpha_dropout(x, probability, dropout_mask(x.tape(), per_feature, probability, key, where), where);
  });
}

}  // namespace backdrop
