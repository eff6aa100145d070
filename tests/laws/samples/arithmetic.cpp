#include <backdrop/ops/arithmetic.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void arithmetic_samples(Samples& s) {
  s.add(add_op, [](Maker& m) { return add(m.real({2, 3}), m.real({2, 3})); });
  s.add(add_op, [](Maker& m) { return add(m.real({2, 1, 3}), m.real({4, 1})); });
  s.add(mul_op, [](Maker& m) { return mul(m.real({2, 3}), m.real({2, 3})); });
  s.add(mul_op, [](Maker& m) { return mul(m.real({2, 3}), m.real({3})); });
  s.add(mul_op, [](Maker& m) { return mul(m.real({3, 7}), m.mask({3, 7})); });
  s.add(mul_op, [](Maker& m) { return mul(m.real({3, 7}), m.mask({7})); });
  s.add(scale_op, [](Maker& m) { return scale(m.real({5}), 1 / 0.9); });
  s.add(scale_op, [](Maker& m) { return scale(m.real({2, 2}), -3); });
  s.add(square_op, [](Maker& m) { return square(m.real({2, 3})); });
}

}  // namespace backdrop
