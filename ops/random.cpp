#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/ops/random.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "kernels/elementwise.hpp"
#include "kernels/random.hpp"

namespace backdrop {

namespace {

constexpr double kLargest = std::numeric_limits<double>::max();
constexpr auto shape = attr::ints("shape");
constexpr auto low = attr::real("low").between(-kLargest, kLargest);
constexpr auto high = attr::real("high").between(-kLargest, kLargest);
constexpr auto mean = attr::real("mean").between(-kLargest, kLargest);
constexpr auto stddev = attr::real("stddev").between(0, kLargest);
constexpr auto key = attr::key("key");
constexpr auto dtype = attr::dtype("dtype");

void require_float(const char* op, DType type) {
  if (is_float(type)) return;
  throw DTypeError(std::string(op) + ": makes f32 or f64, not " + to_string(type) + "; cast() the result");
}

// Whether the number is finite, and not too large for the dtype.
bool fits(double number, DType type) {
  return type == DType::f32 ? std::isfinite(static_cast<float>(number)) : std::isfinite(number);
}

void require_range(double from, double to, DType type) {
  if (from <= to && fits(from, type) && fits(to, type) && fits(to - from, type)) return;
  throw ValueError("uniform: low = " + std::to_string(from) + " and high = " + std::to_string(to) +
                   " bound no range of " + to_string(type) + "; give finite numbers, the lower one first");
}

void require_moments(double center, double spread, DType type) {
  if (fits(center, type) && spread >= 0 && fits(spread, type)) return;
  throw ValueError("normal: mean = " + std::to_string(center) + ", stddev = " + std::to_string(spread) +
                   "; give finite " + to_string(type) + ", stddev not below 0");
}

// The numbers [first, first + n) of the whole.
struct Part {
  Key key;
  std::uint32_t step;
  std::uint64_t first;
  std::size_t n;
};

template <class T>
void draw_uniform(const Part& part, double from, double to, T* y) {
  kernels::uniform(part.key, part.step, part.first, part.n, y);
  const T base = static_cast<T>(from), span = static_cast<T>(to - from);
  // Rounding may reach the upper end, which does not belong to the range.
  const T last = from < to ? std::nextafter(static_cast<T>(to), base) : base;
  for (std::size_t k = 0; k < part.n; ++k) y[k] = std::min(base + span * y[k], last);
}

template <class T>
void draw_normal(const Part& part, double center, double spread, T* y) {
  kernels::normal(part.key, part.step, part.first, part.n, y);
  for (std::size_t k = 0; k < part.n; ++k) {
    y[k] = static_cast<T>(center) + static_cast<T>(spread) * y[k];
  }
}

// A tensor of f32 or f64 filled by draw(T* elements).
template <class Draw>
Tensor drawn(const char* op, const Shape& extents, DType type, Draw draw) {
  require_float(op, type);
  Tensor y = Tensor::uninitialized(extents, type);
  kernels::with_float(type, [&]<class T>(T) { draw(y.mutable_data<T>().data()); });
  return y;
}

}  // namespace

// y[e] = low + (high - low) u[e]
constinit const Op uniform_op{
    .name = "uniform",
    .attrs = {shape, low, high, key, dtype},
    .formula = "y[e] = low + (high - low) u(key, step, e), u uniform in [0, 1)",
    .jacobian = "has no inputs",
    .random = true,
    .infer =
        [](const Call& c) {
          require_float("uniform", c[dtype]);
          require_range(c[low], c[high], c[dtype]);
          return Type{c[dtype], c.tape.intern(Shape(c[shape], c.name()))};
        },
    .block =
        [](const Block& b) {
          kernels::with_float(b.dtype(), [&]<class T>(T) {
            draw_uniform({b[key], b.step, b.first, b.count}, b[low], b[high], static_cast<T*>(b.y));
          });
        },
};

// y[e] = mean + stddev z[e]
constinit const Op normal_op{
    .name = "normal",
    .attrs = {shape, mean, stddev, key, dtype},
    .formula = "y[e] = mean + stddev z(key, step, e), z standard normal",
    .jacobian = "has no inputs",
    .random = true,
    .infer =
        [](const Call& c) {
          require_float("normal", c[dtype]);
          require_moments(c[mean], c[stddev], c[dtype]);
          return Type{c[dtype], c.tape.intern(Shape(c[shape], c.name()))};
        },
    .block =
        [](const Block& b) {
          kernels::with_float(b.dtype(), [&]<class T>(T) {
            draw_normal({b[key], b.step, b.first, b.count}, b[mean], b[stddev], static_cast<T*>(b.y));
          });
        },
};

Var uniform(Tape& tape, const Shape& extents, double from, double to, Key source, DType type, Where where) {
  return tape.record(uniform_op, {}, {extents.extents(), from, to, source, type}, where);
}

Tensor uniform(const Shape& extents, double from, double to, Key source, DType type) {
  require_range(from, to, type);
  return drawn("uniform", extents, type, [&](auto* y) {
    draw_uniform({source, 0, 0, extents.numel()}, from, to, y);
  });
}

Var normal(Tape& tape, const Shape& extents, double center, double spread, Key source, DType type,
           Where where) {
  return tape.record(normal_op, {}, {extents.extents(), center, spread, source, type}, where);
}

Tensor normal(const Shape& extents, double center, double spread, Key source, DType type) {
  require_moments(center, spread, type);
  return drawn("normal", extents, type, [&](auto* y) {
    draw_normal({source, 0, 0, extents.numel()}, center, spread, y);
  });
}

}  // namespace backdrop
