#include <backdrop/ops/random.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void random_samples(Samples& s) {
  s.add(uniform_op, [](SampleMaker& m) { return uniform(m.tape(), {3, 5}, -1, 2, m.key(), m.dtype()); });
  s.add(uniform_op, [](SampleMaker& m) { return uniform(m.tape(), {50'003}, 0, 1, m.key(), m.dtype()); });
  s.add(uniform_op, [](SampleMaker& m) { return uniform(m.tape(), {0}, 0, 1, m.key(), m.dtype()); });
  s.add(normal_op, [](SampleMaker& m) { return normal(m.tape(), {3, 5}, 0, 1, m.key(), m.dtype()); });
  s.add(normal_op, [](SampleMaker& m) { return normal(m.tape(), {50'003}, -1, 0.1, m.key(), m.dtype()); });
  s.add(normal_op, [](SampleMaker& m) { return normal(m.tape(), {0}, 0, 1, m.key(), m.dtype()); });
}

}  // namespace backdrop
