#include <backdrop/ops/compare.hpp>

#include "kernels/arithmetic.hpp"
#include "kernels/elementwise.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr auto dtype = attr::dtype("dtype");

void to_mask(const Block& b) {
  if (b.call.dtype(0) == DType::i64) {
    const auto* x = static_cast<const std::int64_t*>(b.x[0]);
    kernels::write_bits(b.y, b.count, [x](std::size_t k) { return x[k] != 0; });
    return;
  }
  kernels::with_float(b.call.dtype(0), [&]<class From>(From) {
    kernels::arithmetic<From>().nonzero(static_cast<const From*>(b.x[0]), static_cast<std::uint8_t*>(b.y),
                                        b.count);
  });
}

void from_mask(const Block& b) {
  if (b.dtype() == DType::i64) {
    return kernels::map_integers(b, [&](std::size_t k) { return std::int64_t{kernels::bit(b.x[0], k)}; });
  }
  kernels::with_float(b.dtype(), [&]<class To>(To) {
    kernels::arithmetic<To>().indicate(static_cast<const std::uint8_t*>(b.x[0]), static_cast<To*>(b.y),
                                       b.count);
  });
}

void between_numbers(const Block& b) {
  kernels::with_number(b.dtype(), [&]<class To>(To) {
    auto* y = static_cast<To*>(b.y);
    kernels::with_number(b.call.dtype(0), [&]<class From>(From) {
      const auto* x = static_cast<const From*>(b.x[0]);
      for (std::size_t k = 0; k < b.count; ++k) y[k] = converted<To>(x[k]);
    });
  });
}

void convert_block(const Block& b) {
  if (b.dtype() == b.call.dtype(0)) {
    kernels::copy(b);
  } else if (b.dtype() == DType::mask) {
    to_mask(b);
  } else if (b.call.dtype(0) == DType::mask) {
    from_mask(b);
  } else {
    between_numbers(b);
  }
}

}  // namespace

// y = x in another dtype
constinit const Op cast_op{
    .name = "cast",
    .inputs = {"x"},
    .attrs = {dtype},
    .formula = "y = x as dtype",
    .jacobian = "I between f32 and f64; none otherwise",
    .structure = Structure::identity,
    .infer =
        [](const Call& c) {
          return Type{c[dtype], c.type(0).shape};
        },
    .block = convert_block,
    .vjp = {[](const Call& c, Var g) { return cast(g, c.dtype(0)); }},
    .jvp = rule::linear,
};

Var cast(Var x, DType to, Where at) { return x.dtype() == to ? x : x.tape().record(cast_op, {x}, {to}, at); }

}  // namespace backdrop
