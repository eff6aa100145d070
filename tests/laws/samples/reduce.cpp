#include <backdrop/ops/reduce.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void reduce_samples(Samples& s) {
  s.add(sum_op, [](Maker& m) { return sum(m.real({2, 3})); });
  s.add(sum_op, [](Maker& m) { return sum(m.real({2, 3, 4}), {0, -1}); });
  s.add(sum_op, [](Maker& m) { return sum(m.real({2, 3, 4}), {1}, true); });
  s.add(sum_op, [](Maker& m) { return sum(m.real({})); });
  s.add(sum_op, [](Maker& m) { return sum(m.real({0, 3}), {0}); });
  s.add(sum_op, {.large = true}, [](Maker& m) { return sum(m.real({300, 400}), {0}); });
  s.add(mean_op, [](Maker& m) { return mean(m.real({2, 3, 4}), {0, -1}); });
  s.add(mean_op, [](Maker& m) { return mean(m.real({2, 3}), {1}, true); });
  s.add(mean_op, [](Maker& m) { return mean(m.real({})); });
  s.add(mean_op, [](Maker& m) { return mean(m.real({3, 0}), {0}); });
}

}  // namespace backdrop
