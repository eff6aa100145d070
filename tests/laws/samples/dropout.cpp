#include <backdrop/ops/dropout.hpp>
#include <backdrop/ops/dropout_variants.hpp>
#include <backdrop/ops/random.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void dropout_samples(Samples& s) {
  s.add(dropout_op, [](SampleMaker& m) { return dropout(m.real({3, 7}), 0.5, m.mask({3, 7})); });
  s.add(dropout_op, [](SampleMaker& m) { return dropout(m.real({3, 7}), 0.1, m.mask({7})); });
  s.add(dropout_op, [](SampleMaker& m) { return dropout(m.real({11}), 0.3, m.key()); });
  s.add(dropout_op, [](SampleMaker& m) { return dropout(m.real({4}), 0, m.mask({4})); });
  s.add(dropout_op, [](SampleMaker& m) { return dropout(m.real({4}), 1, m.mask({4})); });
  s.add(dropout_mask_op, [](SampleMaker& m) { return dropout_mask(m.tape(), {3, 7}, 0.5, m.key()); });
  s.add(dropout_mask_op, [](SampleMaker& m) { return dropout_mask(m.tape(), {130}, 0.1, m.key()); });
  s.add(dropout_mask_op, [](SampleMaker& m) { return dropout_mask(m.tape(), {50'003}, 0.25, m.key()); });
  s.add(dropout_mask_op, [](SampleMaker& m) { return dropout_mask(m.tape(), {0}, 0.25, m.key()); });
  s.add(drawn_dropout_op, [](SampleMaker& m) { return drawn_dropout(m.real({3, 7}), 0.1, m.key()); });
  s.add(drawn_dropout_op, [](SampleMaker& m) { return drawn_dropout(m.real({3, 7}), 0.25, m.key()); });
  s.add(drawn_dropout_op, [](SampleMaker& m) { return drawn_dropout(m.real({130}), 0.5, m.key()); });
  s.add(drawn_dropout_op, [](SampleMaker& m) { return drawn_dropout(m.real({4}), 0, m.key()); });
  s.add(drawn_dropout_op, [](SampleMaker& m) { return drawn_dropout(m.real({4}), 1, m.key()); });
  s.add(drawn_dropout_op, [](SampleMaker& m) { return drawn_dropout(m.real({0}), 0.1, m.key()); });

  s.add(dropout_op, [](SampleMaker& m) { return feature_dropout(m.real({2, 3, 4}), 0.4, m.key()); });
  s.add(dropout_op, [](SampleMaker& m) { return dropout2d(m.real({2, 3, 2, 2}), 0.4, m.mask({2, 3})); });
  s.add(dropout_op, [](SampleMaker& m) { return variational_dropout(m.real({2, 3, 4}), 0.4, m.key(), 1); });
  s.add(dropout_op, [](SampleMaker& m) {
    return drop_connect(m.real({2, 3}), m.real({4, 3}), 0.4, m.key());
  });

  s.add(drop_path_op, [](SampleMaker& m) { return drop_path(m.real({3, 4}), 0.4, m.mask({3})); });
  s.add(drop_path_op, [](SampleMaker& m) { return drop_path(m.real({3, 4}), 0.2, m.key(), false); });
  s.add(drop_path_op, [](SampleMaker& m) { return drop_path(m.real({5}), 1, m.key()); });
  s.add(alpha_dropout_op, [](SampleMaker& m) { return alpha_dropout(m.real({3, 7}), 0.5, m.mask({7})); });
  s.add(alpha_dropout_op, [](SampleMaker& m) { return alpha_dropout(m.real({11}), 0.1, m.key()); });
  s.add(alpha_dropout_op, [](SampleMaker& m) { return alpha_dropout(m.real({4}), 0, m.mask({4})); });
  s.add(alpha_dropout_op, [](SampleMaker& m) { return alpha_dropout(m.real({4}), 1, m.mask({4})); });
  s.add(alpha_dropout_op, [](SampleMaker& m) {
    return feature_alpha_dropout(m.real({2, 3, 2}), 0.3, m.mask({2, 3}));
  });
  s.add(gaussian_dropout_op, [](SampleMaker& m) { return gaussian_dropout(m.real({3, 7}), m.real({7})); });
  s.add(gaussian_dropout_op, [](SampleMaker& m) { return gaussian_dropout(m.real({3, 7}), 0.2, m.key()); });
  s.add(drop_block_op, [](SampleMaker& m) { return drop_block(m.real({2, 3, 4}), m.mask({2, 3, 4})); });
  s.add(drop_block_op, [](SampleMaker& m) { return drop_block(m.real({2, 5, 6}), 0.4, 2, m.key()); });
  s.add(zoneout_op, [](SampleMaker& m) { return zoneout(m.real({3, 7}), m.real({3, 7}), 0.3, m.mask({7})); });
  s.add(zoneout_op, [](SampleMaker& m) { return zoneout(m.real({5}), m.real({5}), 0.8, m.key()); });
}

}  // namespace backdrop
