#include <backdrop/ops/layout.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void layout_samples(Samples& s) {
  s.add(broadcast_to_op, [](Maker& m) { return broadcast_to(m.real({3}), {2, 3}); });
  s.add(broadcast_to_op, [](Maker& m) { return broadcast_to(m.real({2, 1, 3}), {2, 4, 3}); });
  s.add(broadcast_to_op, [](Maker& m) { return broadcast_to(m.real({}), {2, 2}); });
  s.add(broadcast_to_op, [](Maker& m) { return broadcast_to(m.real({1, 3}), {0, 3}); });
  s.add(broadcast_to_op, [](Maker& m) { return broadcast_to(m.real({0, 1}), {0, 3}); });
  s.add(broadcast_to_op, [](Maker& m) { return broadcast_to(m.mask({3, 1}), {3, 11}); });
  s.add(sum_to_op, [](Maker& m) { return sum_to(m.real({2, 3}), {3}); });
  s.add(sum_to_op, [](Maker& m) { return sum_to(m.real({2, 4, 3}), {2, 1, 3}); });
  s.add(sum_to_op, [](Maker& m) { return sum_to(m.real({2, 2}), {}); });
  s.add(sum_to_op, [](Maker& m) { return sum_to(m.real({0, 3}), {1, 3}); });
  s.add(reshape_op, [](Maker& m) { return reshape(m.real({2, 6}), {3, -1}); });
  s.add(reshape_op, [](Maker& m) { return reshape(m.real({}), {1, 1}); });
  s.add(reshape_op, [](Maker& m) { return reshape(m.real({0, 3}), {3, 0}); });
  s.add(reshape_op, [](Maker& m) { return reshape(m.mask({3, 5}), {15}); });
}

}  // namespace backdrop
