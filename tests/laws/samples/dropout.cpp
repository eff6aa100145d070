#include <backdrop/ops/dropout.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void dropout_samples(Samples& s) {
  s.add(dropout_op, [](Maker& m) { return dropout(m.real({3, 7}), 0.5, m.mask({3, 7})); });
  s.add(dropout_op, [](Maker& m) { return dropout(m.real({3, 7}), 0.1, m.mask({7})); });
  s.add(dropout_op, [](Maker& m) { return dropout(m.real({11}), 0.3, m.key()); });
  s.add(dropout_op, [](Maker& m) { return dropout(m.real({4}), 0, m.mask({4})); });
  s.add(dropout_op, [](Maker& m) { return dropout(m.real({4}), 1, m.mask({4})); });
  s.add(dropout_mask_op, [](Maker& m) { return dropout_mask(m.tape(), {3, 7}, 0.5, m.key()); });
  s.add(dropout_mask_op, [](Maker& m) { return dropout_mask(m.tape(), {130}, 0.1, m.key()); });
  s.add(dropout_mask_op, [](Maker& m) { return dropout_mask(m.tape(), {50'003}, 0.25, m.key()); });
  s.add(dropout_mask_op, [](Maker& m) { return dropout_mask(m.tape(), {0}, 0.25, m.key()); });
}

}  // namespace backdrop
