#include <backdrop/ops/create.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void create_samples(Samples& s) {
  s.add(full_op, [](Maker& m) { return full(m.tape(), {2, 3}, 0.1, m.dtype()); });
  s.add(full_op, [](Maker& m) { return full(m.tape(), {0}, -2, m.dtype()); });
  s.add(full_op, [](Maker& m) { return full_like(m.real({}), 3); });
}

}  // namespace backdrop
