#include <backdrop/ops/arithmetic.hpp>

#include "kernels/arithmetic.hpp"
#include "kernels/elementwise.hpp"
#include "parts/infer.hpp"

namespace backdrop {

// y = |x|
constinit const Op abs_op{
    .name = "abs",
    .inputs = {"x"},
    .formula = "y = |x|",
    .jacobian = "diag(sign(x))",
    .singular = "x = 0: 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::vector_map(b, [](const auto& k) { return k.abs; }); },
    .derivative = {[](const Call& c) { return sign(c[0]); }},
};

// y = -1, 0, 1
constinit const Op sign_op{
    .name = "sign",
    .inputs = {"x"},
    .formula = "y = 1 if x > 0, -1 if x < 0, else x",
    .jacobian = "0",
    .singular = "x = 0: 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block =
        [](const Block& b) {
          kernels::map(b, [](auto x) {
            using T = decltype(x);
            return x > 0 ? T{1} : x < 0 ? T{-1} : x;
          });
        },
    .vjp = {zero},
    .jvp = {zero},
};

Var abs(Var x, Where where) { return x.tape().record(abs_op, {x}, {}, where); }
Var sign(Var x, Where where) { return x.tape().record(sign_op, {x}, {}, where); }

}  // namespace backdrop
