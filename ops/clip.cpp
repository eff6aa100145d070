#include <backdrop/core/error.hpp>
#include <backdrop/ops/compare.hpp>
#include <backdrop/ops/create.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

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
  infer::require_number(c, 0);
  if (c.dtype(0) == DType::i64 && (std::floor(c[low]) != c[low] || std::floor(c[high]) != c[high])) {
    throw DTypeError("clip: i64 need whole bounds, not " + std::to_string(c[low]) + " and " +
                     std::to_string(c[high]) + "; round them, or cast x");
  }
  return c.type(0);
}

// A bound as a value of T; as i64 the nearest.
template <class T>
T bound(double number) {
  if constexpr (std::is_integral_v<T>) {
    if (number >= 0x1p63) return std::numeric_limits<T>::max();
    if (number < -0x1p63) return std::numeric_limits<T>::min();
  }
  return static_cast<T>(number);
}

void clamp(const Block& b) {
  kernels::with_number(b.dtype(), [&]<class T>(T) {
    const T l = bound<T>(b[low]), h = bound<T>(b[high]);
    const auto* x = static_cast<const T*>(b.x[0]);
    auto* y = static_cast<T*>(b.y);
    for (std::size_t k = 0; k < b.count; ++k) y[k] = x[k] < l ? l : x[k] > h ? h : x[k];
  });
}

// Whether the bounds are one number of the dtype, which all of y then is.
bool is_constant(const Call& c) {
  if (c.dtype(0) == DType::f32) return static_cast<float>(c[low]) == static_cast<float>(c[high]);
  return c[low] == c[high];
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
    .singular = "x = low, x = high: 1; 0 where low = high",
    .structure = Structure::diagonal,
    .infer = infer_clip,
    .block = clamp,
    .derivative = {[](const Call& c) { return is_constant(c) ? full_like(c[0], 0) : equal(c[0], c.y); }},
};

Var clip(Var x, double l, double h, Where where) { return x.tape().record(clip_op, {x}, {l, h}, where); }

}  // namespace backdrop
