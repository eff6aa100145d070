#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/normalization.hpp>
#include <backdrop/ops/reduce.hpp>
#include <limits>
#include <vector>

#include "parts/along.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"
#include "parts/reduced.hpp"

namespace backdrop {

using along::axis;

namespace {

constexpr auto eps = attr::real("eps").between(0, std::numeric_limits<double>::max());

Type infer_cosine(const Call& c) {
  along::require_axis(c);
  infer::require_same_type(c, 0, 1);
  const std::int64_t at = c[axis];
  return {c.dtype(0), c.tape.intern(reduced_shape(c.shape(0), {&at, 1}, false))};
}

}  // namespace

// y = x / max(|x|, eps)
constinit const Op normalize_op{
    .name = "normalize",
    .inputs = {"x"},
    .attrs = {axis, eps},
    .formula = "y = x / max(norm(x), eps), norm along axis",
    .jacobian = "(I - y y') / norm(x), or I/eps below eps",
    .singular = "norm(x) = eps: half of each",
    .infer = along::infer,
    .body = [](const Call& c) { return div(c[0], maximum(norm(c[0], {c[axis]}, true), c[eps])); },
    .tolerance = 64,
};

// y = a . b / (|a| |b|)
constinit const Op cosine_similarity_op{
    .name = "cosine_similarity",
    .inputs = {"a", "b"},
    .attrs = {axis, eps},
    .formula = "y = sum of normalize(a) normalize(b) along axis",
    .jacobian = "[(b/|b| - y a/|a|)' / |a|, (a/|a| - y b/|b|)' / |b|]; |x| is eps, a constant, where smaller",
    .singular = "|a| = eps, |b| = eps: half of each",
    .infer = infer_cosine,
    .body =
        [](const Call& c) {
          const Var a = normalize(c[0], c[axis], c[eps]), b = normalize(c[1], c[axis], c[eps]);
          return sum(mul(a, b), {c[axis]});
        },
    .tolerance = 64,
};

Var normalize(Var x, std::int64_t at, double least, Where where) {
  const auto along = static_cast<std::int64_t>(normalize_axis("normalize", at, x.shape().rank()));
  return x.tape().record(normalize_op, {x}, {along, least}, where);
}

Var cosine_similarity(Var a, Var b, std::int64_t at, double least, Where where) {
  return all_or_nothing(a.tape(), [&] {
    const auto [x, y] = broadcast_together("cosine_similarity", a, b, where);
    const auto along = static_cast<std::int64_t>(normalize_axis("cosine_similarity", at, x.shape().rank()));
    return x.tape().record(cosine_similarity_op, {x, y}, {along, least}, where);
  });
}

Var pairwise_distance(Var a, Var b, double added, Where where) {
  return all_or_nothing(a.tape(),
                        [&] { return norm(add(sub(a, b, where), added, where), {-1}, false, where); });
}

}  // namespace backdrop
