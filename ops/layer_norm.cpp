#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/normalization.hpp>
#include <backdrop/ops/reduce.hpp>
#include <limits>
#include <string>
#include <vector>

#include "kernels/layer_norm.hpp"
#include "parts/batched.hpp"
#include "parts/infer.hpp"
#include "parts/operands.hpp"

namespace backdrop {

namespace {

constexpr auto normalized = attr::ints("normalized");
constexpr auto eps = attr::real("eps").between(0, std::numeric_limits<double>::max());

bool ends_with(const Shape& shape, std::span<const std::int64_t> last) {
  return last.size() <= shape.rank() &&
         std::ranges::equal(shape.extents().subspan(shape.rank() - last.size()), last);
}

std::size_t leading_axes(const Call& c, std::size_t) { return c.shape(0).rank() - c[normalized].size(); }

Type infer_last_axes(const Call& c) {
  const Type type = infer::like_first(c);
  const auto last = c[normalized];
  if (last.empty() || !ends_with(c.shape(0), last) || std::ranges::count(last, 0) > 0) {
    throw ShapeError(std::string(c.name()) + ": the axes to normalize must be last ones of x " +
                     to_string(c.shape(0)) + ", and have elements");
  }
  return type;
}

std::vector<std::int64_t> last_axes(const Call& c) {
  std::vector<std::int64_t> out;
  for (std::size_t k = leading_axes(c, 0); k < c.shape(0).rank(); ++k) {
    out.push_back(static_cast<std::int64_t>(k));
  }
  return out;
}

Type infer_product(const Call& c) {
  infer::require_same_type(c, 0, 1);
  return infer_last_axes(c);
}

// J is symmetric: the rule for both modes.
Var layer_product(const Call& c, Var v) { return layer_norm_product(c[0], v, Shape(c[normalized]), c[eps]); }

Var inverse_deviation(const Call& c) { return rsqrt(add(var(c[0], last_axes(c), 0, true), c[eps])); }

Var inverse_length(const Call& c) { return rsqrt(add(mean(square(c[0]), last_axes(c), true), c[eps])); }

// J = (I - y y'/n) / sqrt(mean(x^2) + eps), which is symmetric: the rule for both modes.
Var rms_product(const Call& c, Var v) {
  return mul(sub(v, mul(c.y, mean(mul(v, c.y), last_axes(c), true))), inverse_length(c));
}

Var record_affine(const Op& op, Var x, const Shape& last, const NormOptions& options, Where where) {
  for (const Var& v : {options.weight, options.bias}) {
    if (!v || v.shape() == last) continue;
    throw ShapeError(std::string(op.name) + ": weight or bias is " + to_string(v.shape()) +
                     ", but must have the shape that is normalized, " + to_string(last));
  }
  return all_or_nothing(x.tape(), [&] {
    Var y = x.tape().record(op, {x}, {last.extents(), options.eps}, where);
    if (options.weight) y = mul(y, options.weight, where);
    if (options.bias) y = add(y, options.bias, where);
    return y;
  });
}

}  // namespace

// y = standardize(x) over the last axes
constinit const Op layer_norm_op{
    .name = "layer_norm",
    .inputs = {"x"},
    .attrs = {normalized, eps},
    .formula = "y = standardize(x) over the last axes, of extents `normalized`",
    .jacobian = "as standardize",
    .singular = "var = 0 where eps = 0: NaN",
    .leading = leading_axes,
    .by_panels = true,
    .infer = infer_last_axes,
    .eval = [](const Eval& e) { kernels::layer_norm(e, e[normalized].size(), e[eps]); },
    .vjp = {layer_product},
    .jvp = {layer_product},
    .body = [](const Call& c) { return standardize(c[0], last_axes(c), c[eps]); },
    .batch = batched::same,
    .tolerance = 64,
};

// y = J v, what layer_norm is to its derivatives
constinit const Op layer_norm_product_op{
    .name = "layer_norm_product",
    .inputs = {"x", "v"},
    .attrs = {normalized, eps},
    .formula = "y = J v, J the Jacobian of layer_norm at x",
    .jacobian = "[d(J v)/dx, J]",
    .singular = "var = 0 where eps = 0: NaN",
    .leading = leading_axes,
    .by_panels = true,
    .infer = infer_product,
    .eval = [](const Eval& e) { kernels::layer_norm_product(e, e[normalized].size(), e[eps]); },
    .body =
        [](const Call& c) {
          const auto average = [&](Var x) { return mean(x, last_axes(c), true); };
          const Var z = layer_norm(c[0], Shape(c[normalized]), {.eps = c[eps]});
          const Var rest = sub(sub(c[1], average(c[1])), mul(z, average(mul(c[1], z))));
          return mul(rest, inverse_deviation(c));
        },
    .batch =
        [](const Call& c, std::span<const Var> x) {
          const std::vector<Var> all = batched::all(c, x);
          return layer_norm_product(all[0], all[1], Shape(c[normalized]), c[eps]);
        },
    .tolerance = 256,
};

// y = x / sqrt(mean(x^2) + eps)
constinit const Op rms_norm_op{
    .name = "rms_norm",
    .inputs = {"x"},
    .attrs = {normalized, eps},
    .formula = "y = x / sqrt(mean(x^2) + eps), mean over the last axes, of extents `normalized`",
    .jacobian = "(I - y y'/n) / sqrt(mean(x^2) + eps) over n terms",
    .singular = "x = 0 where eps = 0: NaN",
    .infer = infer_last_axes,
    .vjp = {rms_product},
    .jvp = {rms_product},
    .body = [](const Call& c) { return mul(c[0], inverse_length(c)); },
    .batch = batched::same,
    .tolerance = 256,
};

Var layer_norm(Var x, const Shape& last, const NormOptions& options, Where where) {
  return record_affine(layer_norm_op, x, last, options, where);
}

Var layer_norm_product(Var x, Var v, const Shape& last, double added, Where where) {
  return x.tape().record(layer_norm_product_op, {x, v}, {last.extents(), added}, where);
}

Var rms_norm(Var x, const Shape& last, const NormOptions& options, Where where) {
  return record_affine(rms_norm_op, x, last, options, where);
}

}  // namespace backdrop
