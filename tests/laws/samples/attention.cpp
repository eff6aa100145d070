#include <backdrop/ops/attention.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void attention_samples(Samples& s) {
  const Op& op = scaled_dot_product_attention_op;
  s.add(op, [](SampleMaker& m) {
    return scaled_dot_product_attention(m.real({2, 3}), m.real({4, 3}), m.real({4, 2}));
  });
  s.add(op, [](SampleMaker& m) {
    return scaled_dot_product_attention(m.real({2, 1, 3, 2}), m.real({2, 4, 2}), m.real({2, 4, 3}),
                                        {.causal = true, .scale = 0.5});
  });
  s.add(op, [](SampleMaker& m) {
    const Var may = m.leaf(Tensor::mask({{1, 0, 1}, {0, 0, 0}, {1, 1, 1}}));  // nothing for query 1
    return scaled_dot_product_attention(m.real({3, 2}), m.real({3, 2}), m.real({3, 2}), {.mask = may});
  });
  s.add(op, [](SampleMaker& m) {
    return scaled_dot_product_attention(m.real({2, 3, 2}), m.real({2, 3, 2}), m.real({2, 3, 2}),
                                        {.mask = m.real({2, 1, 3}), .causal = true});
  });
  s.add(op, [](SampleMaker& m) {
    return scaled_dot_product_attention(m.real({2, 3, 2}), m.real({2, 3, 2}), m.real({2, 3, 2}),
                                        {.p = 0.25, .dropout_key = m.key()});
  });
  s.add(op, [](SampleMaker& m) {
    const Var may = m.leaf(Tensor::mask({{1, 0, 1}, {1, 1, 0}}));
    return scaled_dot_product_attention(
        m.real({2, 2}), m.real({3, 2}), m.real({3, 2}),
        {.mask = may, .causal = true, .p = 0.5, .dropout_mask = m.mask({2, 3})});
  });
  s.add(op, [](SampleMaker& m) {
    return scaled_dot_product_attention(m.real({0, 2}), m.real({3, 2}), m.real({3, 2}));
  });
}

}  // namespace backdrop
