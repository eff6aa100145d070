#include <backdrop/ops/loss.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void loss_samples(Samples& s) {
  s.add(softmax_op, [](SampleMaker& m) { return softmax(m.real({2, 3})); });
  s.add(softmax_op, [](SampleMaker& m) { return softmax(m.real({2, 3, 4}), 1); });
  s.add(softmax_op, [](SampleMaker& m) { return softmax(m.real({0, 3})); });
  s.add(softmax_op, {.large = true}, [](SampleMaker& m) { return softmax(m.real({300, 40}), 0); });
  s.add(log_softmax_op, [](SampleMaker& m) { return log_softmax(m.real({2, 3})); });
  s.add(log_softmax_op, [](SampleMaker& m) { return log_softmax(m.real({2, 3, 4}), 1); });
  s.add(log_softmax_op, [](SampleMaker& m) { return log_softmax(m.real({0, 3})); });
  s.add(log_softmax_op, {.large = true}, [](SampleMaker& m) { return log_softmax(m.real({300, 40}), 0); });

  s.add(cross_entropy_op, [](SampleMaker& m) { return cross_entropy(m.real({4, 3}), m.indices({4}, 3)); });
  s.add(cross_entropy_op, [](SampleMaker& m) {
    return cross_entropy(m.real({4, 3}), m.indices({4}, 3), Reduction::sum);
  });
  s.add(cross_entropy_op, [](SampleMaker& m) {
    return cross_entropy(m.real({4, 3}), m.indices({4}, 3), Reduction::none);
  });
  s.add(cross_entropy_op, [](SampleMaker& m) {
    return cross_entropy(m.real({0, 3}), m.indices({0}, 3), Reduction::none);
  });
  s.add(cross_entropy_op, [](SampleMaker& m) { return cross_entropy(m.real({0, 3}), m.indices({0}, 3)); });
  s.add(cross_entropy_op, {.large = true}, [](SampleMaker& m) {
    return cross_entropy(m.real({3000, 10}), m.indices({3000}, 10));
  });

  s.add(label_loss_op, [](SampleMaker& m) {
    return label_loss(m.positive({4, 3}), m.indices({4}, 3), m.real({4, 3}));
  });
  s.add(label_loss_op, [](SampleMaker& m) {
    return label_loss(m.positive({2, 37}), m.indices({2}, 37), m.real({2, 37}));
  });
  s.add(label_loss_op, [](SampleMaker& m) {
    return label_loss(m.positive({0, 3}), m.indices({0}, 3), m.real({0, 3}));
  });
  s.add(label_excess_op, [](SampleMaker& m) {
    return label_excess(m.real({4, 3}), m.indices({4}, 3), m.real({4}));
  });
  s.add(label_excess_op, [](SampleMaker& m) {
    return label_excess(m.real({2, 37}), m.indices({2}, 37), m.real({2}), 0.3);
  });
  s.add(label_excess_op, [](SampleMaker& m) {
    return label_excess(m.real({0, 3}), m.indices({0}, 3), m.real({0}));
  });

  s.add(nll_op, [](SampleMaker& m) { return nll(m.real({4, 3}), m.indices({4}, 3)); });
  s.add(nll_op, [](SampleMaker& m) {
    const NllOptions options{.weight = m.positive({3}), .ignore_index = 1, .reduction = Reduction::none};
    return nll(m.real({2, 3, 4}), m.indices({2, 4}, 3), options);
  });
  s.add(nll_op, [](SampleMaker& m) {
    return nll(m.real({2, 3, 2, 2}), m.integers({{{0, -100}, {2, 1}}, {{-100, -100}, {0, 1}}}),
               {.ignore_index = -100});
  });
  s.add(nll_op, [](SampleMaker& m) {
    return nll(m.real({3}), m.leaf(Tensor::scalar(1, DType::i64)),
               {.weight = m.positive({3}), .reduction = Reduction::sum});
  });
  s.add(nll_op, [](SampleMaker& m) { return nll(m.real({0, 3}), m.indices({0}, 3)); });
  s.add(nll_op, [](SampleMaker& m) {
    const CrossEntropyOptions options{.weight = m.positive({3}), .ignore_index = 2};
    return cross_entropy(m.real({2, 3, 4}), m.indices({2, 4}, 3), options);
  });
  // Cross entropies of smoothed labels and of probabilities have no node of their own.
  s.add(log_softmax_op, [](SampleMaker& m) {
    const CrossEntropyOptions options{.weight = m.positive({3}), .ignore_index = 1, .label_smoothing = 0.1};
    return cross_entropy(m.real({2, 3, 4}), m.indices({2, 4}, 3), options);
  });
  s.add(log_softmax_op, [](SampleMaker& m) {
    const CrossEntropyOptions options{.weight = m.positive({3}), .label_smoothing = 0.25};
    return cross_entropy(m.real({4, 3}), m.positive({4, 3}), options);
  });

  s.add(mse_op, [](SampleMaker& m) { return mse(m.real({2, 3}), m.real({2, 3})); });
  s.add(mse_op, [](SampleMaker& m) { return mse(m.real({2, 3}), m.real({3})); });
  s.add(mse_op, [](SampleMaker& m) { return mse(m.real({}), m.real({})); });
  s.add(mse_op, [](SampleMaker& m) { return mse(m.real({0, 3}), m.real({0, 3})); });

  s.add(l1_op, [](SampleMaker& m) { return l1(m.real({5}, {-2, 0}), m.real({2, 5}, {0.25, 2})); });
  s.add(l1_op, {.smooth = false}, [](SampleMaker& m) {
    return l1(m.reals({1, 2}), m.reals({1, 3}), Reduction::none);
  });
  s.add(huber_op, [](SampleMaker& m) { return huber(m.real({3, 5}), m.real({5}), 1.25); });
  s.add(huber_op, [](SampleMaker& m) {
    return huber(m.real({2, 5}), m.real({2, 5}), 0.5, Reduction::batchmean);
  });
  s.add(huber_op, [](SampleMaker& m) { return smooth_l1(m.real({7}), m.real({7}), 0.75, Reduction::none); });
  s.add(bce_op, [](SampleMaker& m) {
    return bce(m.real({2, 3}, {0.125, 0.875}), m.real({2, 3}, {0, 1}), {.weight = m.real({3})});
  });
  s.add(bce_with_logits_op, [](SampleMaker& m) {
    // Away from sigmoid(logits) = targets, where the derivative is a difference of almost equal numbers.
    return bce_with_logits(m.real({2, 3}, {0.25, 2}), m.real({2, 3}, {0, 0.5}));
  });
  s.add(bce_with_logits_op, [](SampleMaker& m) {
    return bce_with_logits(m.real({2, 3}), m.real({3}, {0, 1}),
                           {.weight = m.real({2, 1}), .pos_weight = m.positive({3})});
  });
  s.add(kl_div_op, [](SampleMaker& m) { return kl_div(m.real({2, 3}), m.positive({2, 3})); });
  s.add(kl_div_op, [](SampleMaker& m) {
    return kl_div(m.real({2, 3}), m.real({3}), {.log_target = true, .reduction = Reduction::batchmean});
  });
  s.add(kl_div_op, {.smooth = false}, [](SampleMaker& m) {
    return kl_div(m.reals({-1, -2}), m.reals({0, 0.5}), {.reduction = Reduction::sum});
  });
}

}  // namespace backdrop
