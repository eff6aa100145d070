#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/normalization.hpp>
#include <backdrop/ops/reduce.hpp>
#include <limits>
#include <string>
#include <vector>

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
  for (std::size_t k = c.shape(0).rank() - c[normalized].size(); k < c.shape(0).rank(); ++k) {
    out.push_back(static_cast<std::int64_t>(k));
  }
  return out;
}

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
    .infer = infer_last_axes,
    .body = [](const Call& c) { return standardize(c[0], last_axes(c), c[eps]); },
    .batch = batched::same,
    .tolerance = 64,
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

Var rms_norm(Var x, const Shape& last, const NormOptions& options, Where where) {
  return record_affine(rms_norm_op, x, last, options, where);
}

}  // namespace backdrop
