#include <backdrop/ops/normalization.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void normalize_samples(Samples& s) {
  s.add(standardize_op, [](SampleMaker& m) { return standardize(m.real({2, 3, 4}), {0, -1}); });
  s.add(standardize_op, [](SampleMaker& m) { return standardize(m.real({2, 5}), {1}, 0.25); });
  s.add(standardize_op, [](SampleMaker& m) { return standardize(m.real({}), {}, 0.25); });
  s.add(standardize_op, [](SampleMaker& m) { return standardize(m.real({0, 3}), {1}); });
  s.add(standardize_op, [](SampleMaker& m) {
    return standardize(m.reals({{3, 3, 3}, {1, 2, 4}}), {1}, 0.5);
  });
  s.add(standardize_op, {.large = true}, [](SampleMaker& m) { return standardize(m.real({300, 200}), {1}); });

  s.add(layer_norm_op, [](SampleMaker& m) { return layer_norm(m.real({2, 3, 4}), {4}); });
  s.add(layer_norm_op, [](SampleMaker& m) {
    return layer_norm(m.real({2, 3, 4}), {3, 4},
                      {.weight = m.real({3, 4}), .bias = m.real({3, 4}), .eps = 0.125});
  });
  s.add(layer_norm_op, [](SampleMaker& m) { return layer_norm(m.real({4}), {4}, {.bias = m.real({4})}); });
  s.add(layer_norm_op, [](SampleMaker& m) { return layer_norm(m.real({0, 4}), {4}); });

  s.add(layer_norm_op, {.large = true}, [](SampleMaker& m) { return layer_norm(m.real({300, 200}), {200}); });

  s.add(layer_norm_product_op, [](SampleMaker& m) {
    return layer_norm_product(m.real({2, 3, 4}), m.real({2, 3, 4}), {4});
  });
  s.add(layer_norm_product_op, [](SampleMaker& m) {
    return layer_norm_product(m.reals({{3, 3, 3}, {1, 2, 4}}), m.real({2, 3}), {3}, 0.5);
  });
  s.add(layer_norm_product_op, [](SampleMaker& m) {
    return layer_norm_product(m.real({2, 17}), m.real({2, 17}), {2, 17}, 0.125);
  });
  s.add(layer_norm_product_op, [](SampleMaker& m) {
    return layer_norm_product(m.real({0, 4}), m.real({0, 4}), {4});
  });

  s.add(rms_norm_op, [](SampleMaker& m) { return rms_norm(m.real({2, 3, 4}), {4}); });
  s.add(rms_norm_op, [](SampleMaker& m) {
    return rms_norm(m.real({2, 3, 4}), {3, 4}, {.weight = m.real({3, 4}), .eps = 0.125});
  });
  s.add(rms_norm_op, [](SampleMaker& m) { return rms_norm(m.reals({{0, 0}, {1, 2}}), {2}, {.eps = 0.5}); });
  s.add(rms_norm_op, [](SampleMaker& m) { return rms_norm(m.real({0, 4}), {4}); });

  s.add(batch_norm_op, [](SampleMaker& m) { return batch_norm(m.real({5, 3})); });
  s.add(batch_norm_op, [](SampleMaker& m) {
    return batch_norm(m.real({2, 3, 2, 2}), {.weight = m.real({3}), .bias = m.real({3}), .eps = 0.125});
  });
  s.add(batch_norm_op, [](SampleMaker& m) { return batch_norm(m.real({2, 0})); });
  s.add(batch_norm_given_op, [](SampleMaker& m) {
    return batch_norm(m.real({4, 3}), m.real({3}), m.positive({3}));
  });
  s.add(batch_norm_given_op, [](SampleMaker& m) {
    return batch_norm(m.real({2, 3, 2, 2}), m.real({3}), m.positive({3}),
                      {.weight = m.real({3}), .bias = m.real({3}), .eps = 0.125});
  });
  s.add(batch_norm_given_op, [](SampleMaker& m) {
    return batch_norm(m.real({0, 3}), m.real({3}), m.positive({3}));
  });

  s.add(group_norm_op, [](SampleMaker& m) { return group_norm(m.real({2, 6}), 2); });
  s.add(group_norm_op, [](SampleMaker& m) {
    return group_norm(m.real({2, 4, 3}), 1, {.weight = m.real({4}), .bias = m.real({4}), .eps = 0.125});
  });
  s.add(group_norm_op, [](SampleMaker& m) { return instance_norm(m.real({2, 3, 2, 2})); });
  s.add(group_norm_op, [](SampleMaker& m) { return group_norm(m.real({0, 4}), 2); });

  s.add(normalize_op, [](SampleMaker& m) { return normalize(m.real({2, 3})); });
  s.add(normalize_op, [](SampleMaker& m) { return normalize(m.real({3, 2}), 0, 8); });
  s.add(normalize_op, [](SampleMaker& m) { return normalize(m.real({0, 3})); });
  s.add(cosine_similarity_op, [](SampleMaker& m) {
    return cosine_similarity(m.real({2, 3}), m.real({2, 3}));
  });
  s.add(cosine_similarity_op, [](SampleMaker& m) {
    return cosine_similarity(m.real({3, 1, 2}), m.real({4, 2}), 0, 8);
  });
  s.add(cosine_similarity_op, [](SampleMaker& m) {
    return cosine_similarity(m.real({0, 3}), m.real({0, 3}), -1);
  });
}

}  // namespace backdrop
