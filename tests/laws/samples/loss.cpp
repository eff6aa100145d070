#include <backdrop/ops/loss.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void loss_samples(Samples& s) {
  s.add(softmax_op, [](Maker& m) { return softmax(m.real({2, 3})); });
  s.add(softmax_op, [](Maker& m) { return softmax(m.real({2, 3, 4}), 1); });
  s.add(softmax_op, [](Maker& m) { return softmax(m.real({0, 3})); });
  s.add(softmax_op, {.large = true}, [](Maker& m) { return softmax(m.real({300, 40}), 0); });
  s.add(log_softmax_op, [](Maker& m) { return log_softmax(m.real({2, 3})); });
  s.add(log_softmax_op, [](Maker& m) { return log_softmax(m.real({2, 3, 4}), 1); });
  s.add(log_softmax_op, [](Maker& m) { return log_softmax(m.real({0, 3})); });
  s.add(log_softmax_op, {.large = true}, [](Maker& m) { return log_softmax(m.real({300, 40}), 0); });

  s.add(cross_entropy_op, [](Maker& m) { return cross_entropy(m.real({4, 3}), m.indices({4}, 3)); });
  s.add(cross_entropy_op, [](Maker& m) {
    return cross_entropy(m.real({4, 3}), m.indices({4}, 3), Reduction::sum);
  });
  s.add(cross_entropy_op, [](Maker& m) {
    return cross_entropy(m.real({4, 3}), m.indices({4}, 3), Reduction::none);
  });
  s.add(cross_entropy_op, [](Maker& m) {
    return cross_entropy(m.real({0, 3}), m.indices({0}, 3), Reduction::none);
  });
  s.add(cross_entropy_op, [](Maker& m) { return cross_entropy(m.real({0, 3}), m.indices({0}, 3)); });
  s.add(cross_entropy_op, {.large = true}, [](Maker& m) {
    return cross_entropy(m.real({3000, 10}), m.indices({3000}, 10));
  });

  s.add(mse_op, [](Maker& m) { return mse(m.real({2, 3}), m.real({2, 3})); });
  s.add(mse_op, [](Maker& m) { return mse(m.real({2, 3}), m.real({3})); });
  s.add(mse_op, [](Maker& m) { return mse(m.real({}), m.real({})); });
  s.add(mse_op, [](Maker& m) { return mse(m.real({0, 3}), m.real({0, 3})); });
}

}  // namespace backdrop
