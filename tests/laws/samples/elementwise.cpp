#include <backdrop/ops/elementwise.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void elementwise_samples(Samples& s) {
  s.add(exp_op, [](Maker& m) { return exp(m.real({7})); });
  s.add(expm1_op, [](Maker& m) { return expm1(m.real({7})); });
  s.add(sin_op, [](Maker& m) { return sin(m.real({7})); });
  s.add(cos_op, [](Maker& m) { return cos(m.real({7})); });
  s.add(erf_op, [](Maker& m) { return erf(m.real({7})); });
  s.add(erfc_op, [](Maker& m) { return erfc(m.real({7})); });
  s.add(tanh_op, [](Maker& m) { return tanh(m.real({7})); });
  s.add(sigmoid_op, [](Maker& m) { return sigmoid(m.real({7})); });
  s.add(softplus_op, [](Maker& m) { return softplus(m.real({7})); });
  s.add(log_sigmoid_op, [](Maker& m) { return log_sigmoid(m.real({7})); });
  s.add(silu_op, [](Maker& m) { return silu(m.real({7})); });
  s.add(gelu_op, [](Maker& m) { return gelu(m.real({7})); });
  s.add(gelu_tanh_op, [](Maker& m) { return gelu_tanh(m.real({7})); });
  s.add(tanh_op, [](Maker& m) { return tanh(m.real({3}, {-80, 80})); });
  s.add(sigmoid_op, [](Maker& m) { return sigmoid(m.real({3}, {-80, 80})); });
  s.add(softplus_op, [](Maker& m) { return softplus(m.real({3}, {-80, 80})); });
  s.add(log_sigmoid_op, [](Maker& m) { return log_sigmoid(m.real({3}, {-80, 80})); });
  s.add(log_op, [](Maker& m) { return log(m.positive({7})); });
  s.add(log1p_op, [](Maker& m) { return log1p(m.positive({7})); });
  s.add(relu_op, [](Maker& m) { return relu(m.away_from({0}, {7})); });
  s.add(relu_op, {.smooth = false}, [](Maker& m) { return relu(m.reals({0.0, -0.0})); });
  s.add(leaky_relu_op, [](Maker& m) { return leaky_relu(m.away_from({0}, {7})); });
  s.add(leaky_relu_op, [](Maker& m) { return leaky_relu(m.away_from({0}, {7}), 0.25); });
  s.add(leaky_relu_op, {.smooth = false}, [](Maker& m) { return leaky_relu(m.reals({0.0, -0.0})); });
  s.add(elu_op, [](Maker& m) { return elu(m.away_from({0}, {7})); });
  s.add(elu_op, [](Maker& m) { return elu(m.away_from({0}, {7}), 0.5); });
  s.add(elu_op, {.smooth = false}, [](Maker& m) { return elu(m.reals({0.0, -0.0}), 0.5); });
  s.add(clip_op, [](Maker& m) { return clip(m.away_from({-1, 0.5}, {9}), -1, 0.5); });
  s.add(clip_op, [](Maker& m) { return clip(m.away_from({0}, {9}), 0, 6); });
  s.add(clip_op, {.smooth = false}, [](Maker& m) { return clip(m.reals({-1, 0.5, 3}), -1, 0.5); });
}

}  // namespace backdrop
