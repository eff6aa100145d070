#include <backdrop/ops/checkpoint.hpp>
#include <backdrop/ops/dropout.hpp>
#include <backdrop/ops/elementwise.hpp>
#include <backdrop/ops/matmul.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void checkpoint_samples(Samples& s) {
  s.add(again_op, [](SampleMaker& m) { return again(m.real({2, 3})); });
  s.add(again_op, [](SampleMaker& m) { return tanh(again(m.real({2, 3}))); });
  s.add(again_op, [](SampleMaker& m) { return again(m.mask({11})); });
  s.add(checkpoint_op, [](SampleMaker& m) {
    return checkpoint([](Var x) { return tanh(x) * x; }, m.real({2, 3}));
  });
  s.add(checkpoint_op, [](SampleMaker& m) {
    const Var w = tanh(m.real({3, 2}));  // captured
    const Key key = m.key();
    const auto layer = [&](Var x, Var b) { return tanh(dropout(matmul(x, w), 0.25, key) + b); };
    return square(checkpoint(layer, sin(m.real({4, 3})), m.real({2})));
  });
  s.add(checkpoint_op, [](SampleMaker& m) {
    const auto inner = [](Var x) { return sin(x) * x; };
    return checkpoint([&](Var x) { return exp(sin(checkpoint(inner, tanh(x)))) + x; }, m.real({}));
  });
  s.add(checkpoint_op, [](SampleMaker& m) {
    return checkpoint([](Var x) { return tanh(x); }, m.real({0, 3}));
  });
}

}  // namespace backdrop
