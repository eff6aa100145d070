#include <backdrop/ops/dropout.hpp>

#include "kernels/elementwise.hpp"
#include "kernels/keep_drawn.hpp"
#include "parts/infer.hpp"

namespace backdrop {

namespace {

constexpr auto p = attr::real("p").between(0, 1);
constexpr auto key = attr::key("key");

Var same_mask(const Call& c) { return dropout_mask(c.tape, c.shape(0), c[p], c[key]); }

void drop(const Block& b) {
  kernels::with_float(b.dtype(), [&]<class T>(T) {
    kernels::keep_drawn(kernels::KeepDrawn<T>{
        .key = b[key],
        .step = b.step,
        .drop = DropThreshold(b[p]),
        .factor = static_cast<T>(keep_scale(b[p])),
        .x = static_cast<const T*>(b.x[0]),
        .y = static_cast<T*>(b.y),
        .first = b.first,
        .count = b.count,
        .streams = b.streams,
    });
  });
}

}  // namespace

// y = x * kept / (1-p), where the bits are a function of the key and never stored
// As a map of x it is its own transpose, so the backward pass draws the same bits once more.
constinit const Op drawn_dropout_op{
    .name = "drawn_dropout",
    .inputs = {"x"},
    .attrs = {p, key},
    .formula = "y[e] = x[e] * kept(key, step, p, e) / (1-p)",
    .jacobian = "diag(kept/(1-p))",
    .structure = Structure::diagonal,
    .random = true,
    .infer = infer::like_first,
    .block = drop,
    .vjp = {[](const Call& c, Var g) { return drawn_dropout(g, c[p], c[key]); }},
    .jvp = rule::linear,
    .body = [](const Call& c) { return dropout(c[0], c[p], same_mask(c)); },
    .batch = [](const Call& c, std::span<const Var> x) { return dropout(x[0], c[p], same_mask(c)); },
    .inference = [](const Call& c) { return c[0]; },
    .exact = true,
};

Var drawn_dropout(Var x, double probability, Key source, Where where) {
  return x.tape().record(drawn_dropout_op, {x}, {probability, source}, where);
}

}  // namespace backdrop
