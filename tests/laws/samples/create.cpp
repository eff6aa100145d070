#include <backdrop/ops/create.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void create_samples(Samples& s) {
  s.add(full_op, [](SampleMaker& m) { return full(m.tape(), {2, 3}, 0.1, m.dtype()); });
  s.add(full_op, [](SampleMaker& m) { return full(m.tape(), {0}, -2, m.dtype()); });
  s.add(full_op, [](SampleMaker& m) { return full_like(m.real({}), 3); });
  s.add(arange_op, [](SampleMaker& m) { return arange(m.tape(), 5, 0.5, -0.25, m.dtype()); });
  s.add(arange_op, [](SampleMaker& m) { return arange(m.tape(), 0, 1, 2, m.dtype()); });
  s.add(arange_op, [](SampleMaker& m) { return arange(m.tape(), 3); });
}

}  // namespace backdrop
