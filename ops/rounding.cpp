#include <backdrop/ops/elementwise.hpp>

#include "kernels/arithmetic.hpp"
#include "parts/infer.hpp"

namespace backdrop {

// y = the greatest integer <= x
constinit const Op floor_op{
    .name = "floor",
    .inputs = {"x"},
    .formula = "y = the greatest integer <= x",
    .jacobian = "0",
    .singular = "integers: 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::vector_map(b, [](const auto& k) { return k.floor; }); },
    .vjp = {zero},
    .jvp = {zero},
};

// y = the least integer >= x
constinit const Op ceil_op{
    .name = "ceil",
    .inputs = {"x"},
    .formula = "y = the least integer >= x",
    .jacobian = "0",
    .singular = "integers: 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::vector_map(b, [](const auto& k) { return k.ceil; }); },
    .vjp = {zero},
    .jvp = {zero},
};

// y = the integer nearest to x
constinit const Op round_op{
    .name = "round",
    .inputs = {"x"},
    .formula = "y = the integer nearest to x, halves to the even one",
    .jacobian = "0",
    .singular = "halves: 0",
    .structure = Structure::diagonal,
    .infer = infer::like_first,
    .block = [](const Block& b) { kernels::vector_map(b, [](const auto& k) { return k.round; }); },
    .vjp = {zero},
    .jvp = {zero},
};

Var floor(Var x, Where where) { return x.tape().record(floor_op, {x}, {}, where); }
Var ceil(Var x, Where where) { return x.tape().record(ceil_op, {x}, {}, where); }
Var round(Var x, Where where) { return x.tape().record(round_op, {x}, {}, where); }

}  // namespace backdrop
