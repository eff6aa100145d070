#include <backdrop/core/error.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <string>

#include "kernels/elementwise.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr auto low = attr::real("low");
constexpr auto high = attr::real("high");

Type infer_clip(const Call& c) {
  if (!(c[low] <= c[high])) {
    throw ValueError("clip: low = " + std::to_string(c[low]) +
                     " must not exceed high = " + std::to_string(c[high]));
  }
  return infer::like_first(c);
}

void clamp(const Block& b) {
  const double l = b[low], h = b[high];
  kernels::map(b, [l, h](auto x) {
    using T = decltype(x);
    return x < static_cast<T>(l) ? static_cast<T>(l) : x > static_cast<T>(h) ? static_cast<T>(h) : x;
  });
}

}  // namespace

// y = min(max(x, low), high)
// Where y = x nothing was clipped: that mask is the derivative.
constinit const Op clip_op{
    .name = "clip",
    .inputs = {"x"},
    .attrs = {low, high},
    .formula = "y = min(max(x, low), high)",
    .jacobian = "diag(low <= x <= high)",
    .singular = "x = low, x = high: 1",
    .structure = Structure::diagonal,
    .infer = infer_clip,
    .block = clamp,
    .derivative = {[](const Call& c) { return equal(c[0], c.y); }},
};

Var clip(Var x, double l, double h, Where where) { return x.tape().record(clip_op, {x}, {l, h}, where); }

}  // namespace backdrop
