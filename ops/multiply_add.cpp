#include <backdrop/ops/arithmetic.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

void multiply_and_add(const Block& b) {
  kernels::with_float(b.dtype(), [&]<class T>(T) {
    const auto x = [&](std::size_t k) { return static_cast<const T*>(b.x[k]); };
    kernels::arithmetic<T>().multiply_add(x(0), x(1), x(2), static_cast<T*>(b.y), b.count);
  });
}

}  // namespace

// y = a * b + c, in one pass
constinit const Op multiply_add_op{
    .name = "multiply_add",
    .inputs = {"a", "b", "c"},
    .formula = "y = a * b + c, the product rounded, too",
    .jacobian = "[diag(b), diag(a), I]",
    .structure = Structure::diagonal,
    .infer = infer::same,
    .block = multiply_and_add,
    .body = [](const Call& c) { return add(mul(c[0], c[1]), c[2]); },
    .exact = true,
};

Var multiply_add(Var a, Var b, Var c, Where where) {
  return a.tape().record(multiply_add_op, {a, b, c}, {}, where);
}

}  // namespace backdrop
