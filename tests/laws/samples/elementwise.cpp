#include <backdrop/ops/arithmetic.hpp>
#include <backdrop/ops/elementwise.hpp>

#include "laws/samples.hpp"

namespace backdrop {

namespace {

void trigonometric_samples(Samples& s) {
  s.add(tan_op, [](SampleMaker& m) { return tan(m.real({7}, {-1.25, 1.25})); });
  s.add(asin_op, [](SampleMaker& m) { return asin(m.real({7}, {-0.875, 0.875})); });
  s.add(acos_op, [](SampleMaker& m) { return acos(m.real({7}, {-0.875, 0.875})); });
  s.add(atan_op, [](SampleMaker& m) { return atan(m.real({7})); });
  s.add(atan2_op, [](SampleMaker& m) { return atan2(m.positive({2, 3}), m.real({2, 3})); });
  s.add(atan2_op, [](SampleMaker& m) { return atan2(m.real({3}), m.real({2, 1}, {-2, -0.25})); });
  s.add(hypot_op, [](SampleMaker& m) { return hypot(m.positive({2, 3}), m.real({2, 3})); });
  s.add(hypot_op, [](SampleMaker& m) { return hypot(m.real({3}), m.positive({2, 1})); });
  s.add(hypot_op, {.smooth = false}, [](SampleMaker& m) { return hypot(m.reals({0, 3}), m.reals({0, 4})); });
  s.add(sinh_op, [](SampleMaker& m) { return sinh(m.real({7})); });
  s.add(cosh_op, [](SampleMaker& m) { return cosh(m.real({7})); });
  s.add(asinh_op, [](SampleMaker& m) { return asinh(m.real({7})); });
  s.add(acosh_op, [](SampleMaker& m) { return acosh(m.real({7}, {1.25, 4})); });
  s.add(atanh_op, [](SampleMaker& m) { return atanh(m.real({7}, {-0.875, 0.875})); });
  s.add(lgamma_op, [](SampleMaker& m) { return lgamma(m.positive({7})); });
  s.add(lgamma_op, {.rounding = 512}, [](SampleMaker& m) { return lgamma(m.away_from({-2, -1, 0}, {7})); });
  s.add(digamma_op, [](SampleMaker& m) { return digamma(m.real({7}, {0.5, 4})); });
  s.add(digamma_op, {.rounding = 512}, [](SampleMaker& m) { return digamma(m.away_from({-2, -1, 0}, {7})); });
  s.add(polygamma_op, [](SampleMaker& m) { return polygamma(0, m.real({7}, {0.5, 4})); });
  s.add(polygamma_op, [](SampleMaker& m) { return polygamma(1, m.real({7}, {0.5, 4})); });
  s.add(polygamma_op, {.rounding = 512}, [](SampleMaker& m) {
    return polygamma(2, m.away_from({-2, -1, 0}, {7}));
  });
  s.add(floor_op, [](SampleMaker& m) { return floor(m.away_from({-2, -1, 0, 1, 2}, {7})); });
  s.add(floor_op, {.smooth = false}, [](SampleMaker& m) { return floor(m.reals({-1, -0.0, 2})); });
  s.add(ceil_op, [](SampleMaker& m) { return ceil(m.away_from({-2, -1, 0, 1, 2}, {7})); });
  s.add(ceil_op, {.smooth = false}, [](SampleMaker& m) { return ceil(m.reals({-1, -0.0, 2})); });
  s.add(round_op, [](SampleMaker& m) { return round(m.away_from({-1.5, -0.5, 0.5, 1.5}, {7})); });
  s.add(round_op, {.smooth = false}, [](SampleMaker& m) { return round(m.reals({-1.5, -0.5, 0.5, 2.5})); });
}

void further_activation_samples(Samples& s) {
  s.add(celu_op, [](SampleMaker& m) { return celu(m.away_from({0}, {7})); });
  s.add(celu_op, [](SampleMaker& m) { return celu(m.away_from({0}, {7}), 0.5); });
  s.add(celu_op, {.smooth = false}, [](SampleMaker& m) { return celu(m.reals({0.0, -0.0}), 0.5); });
  s.add(selu_op, [](SampleMaker& m) { return selu(m.away_from({0}, {7})); });
  s.add(selu_op, {.smooth = false}, [](SampleMaker& m) { return selu(m.reals({0.0, -0.0})); });
  s.add(mish_op, [](SampleMaker& m) { return mish(m.real({7})); });
  s.add(softsign_op, [](SampleMaker& m) { return softsign(m.away_from({0}, {7})); });
  s.add(tanhshrink_op, [](SampleMaker& m) { return tanhshrink(m.real({7})); });
  s.add(hardtanh_op, [](SampleMaker& m) { return hardtanh(m.away_from({-1, 1}, {9})); });
  s.add(hardtanh_op, [](SampleMaker& m) { return hardtanh(m.away_from({-0.5, 1.5}, {9}), -0.5, 1.5); });
  s.add(relu6_op, [](SampleMaker& m) { return relu6(scale(m.away_from({0, 1.5}, {9}), 4)); });
  s.add(hardsigmoid_op, [](SampleMaker& m) { return hardsigmoid(scale(m.away_from({-1.5, 1.5}, {9}), 2)); });
  s.add(hardswish_op, [](SampleMaker& m) { return hardswish(scale(m.away_from({-1.5, 1.5}, {9}), 2)); });
  s.add(softshrink_op, [](SampleMaker& m) { return softshrink(m.away_from({-0.5, 0.5}, {9})); });
  s.add(softshrink_op, [](SampleMaker& m) { return softshrink(m.away_from({-1, 1}, {9}), 1); });
  s.add(softshrink_op, {.smooth = false}, [](SampleMaker& m) { return softshrink(m.reals({-0.5, 0.5, 2})); });
  s.add(hardshrink_op, [](SampleMaker& m) { return hardshrink(m.away_from({-0.5, 0.5}, {9})); });
  s.add(hardshrink_op, [](SampleMaker& m) { return hardshrink(m.away_from({-1, 1}, {9}), 1); });
  s.add(hardshrink_op, {.smooth = false}, [](SampleMaker& m) { return hardshrink(m.reals({-0.5, 0.5, 2})); });
}

}  // namespace

void elementwise_samples(Samples& s) {
  s.add(exp_op, [](SampleMaker& m) { return exp(m.real({7})); });
  s.add(expm1_op, [](SampleMaker& m) { return expm1(m.real({7})); });
  s.add(sin_op, [](SampleMaker& m) { return sin(m.real({7})); });
  s.add(cos_op, [](SampleMaker& m) { return cos(m.real({7})); });
  s.add(erf_op, [](SampleMaker& m) { return erf(m.real({7})); });
  s.add(erfc_op, [](SampleMaker& m) { return erfc(m.real({7})); });
  s.add(tanh_op, [](SampleMaker& m) { return tanh(m.real({7})); });
  s.add(sigmoid_op, [](SampleMaker& m) { return sigmoid(m.real({7})); });
  s.add(softplus_op, [](SampleMaker& m) { return softplus(m.real({7})); });
  s.add(log_sigmoid_op, [](SampleMaker& m) { return log_sigmoid(m.real({7})); });
  s.add(silu_op, [](SampleMaker& m) { return silu(m.real({7})); });
  s.add(gelu_op, [](SampleMaker& m) { return gelu(m.real({7})); });
  s.add(gelu_tanh_op, [](SampleMaker& m) { return gelu_tanh(m.real({7})); });
  s.add(tanh_op, [](SampleMaker& m) { return tanh(m.real({3}, {-80, 80})); });
  s.add(sigmoid_op, [](SampleMaker& m) { return sigmoid(m.real({3}, {-80, 80})); });
  s.add(softplus_op, [](SampleMaker& m) { return softplus(m.real({3}, {-80, 80})); });
  s.add(log_sigmoid_op, [](SampleMaker& m) { return log_sigmoid(m.real({3}, {-80, 80})); });
  s.add(log_op, [](SampleMaker& m) { return log(m.positive({7})); });
  s.add(log2_op, [](SampleMaker& m) { return log2(m.positive({7})); });
  s.add(log10_op, [](SampleMaker& m) { return log10(m.positive({7})); });
  s.add(logaddexp_op, [](SampleMaker& m) { return logaddexp(m.real({2, 3}), m.real({2, 3})); });
  s.add(logaddexp_op, [](SampleMaker& m) { return logaddexp(m.real({2, 1}), m.real({3})); });
  s.add(logaddexp_op, {.smooth = false}, [](SampleMaker& m) {
    return logaddexp(m.real({3}, {-80, 80}), m.real({3}, {-80, 80}));
  });
  s.add(log1p_op, [](SampleMaker& m) { return log1p(m.positive({7})); });
  s.add(relu_op, [](SampleMaker& m) { return relu(m.away_from({0}, {7})); });
  s.add(relu_op, {.smooth = false}, [](SampleMaker& m) { return relu(m.reals({0.0, -0.0})); });
  s.add(leaky_relu_op, [](SampleMaker& m) { return leaky_relu(m.away_from({0}, {7})); });
  s.add(leaky_relu_op, [](SampleMaker& m) { return leaky_relu(m.away_from({0}, {7}), 0.25); });
  s.add(leaky_relu_op, {.smooth = false}, [](SampleMaker& m) { return leaky_relu(m.reals({0.0, -0.0})); });
  s.add(elu_op, [](SampleMaker& m) { return elu(m.away_from({0}, {7})); });
  s.add(elu_op, [](SampleMaker& m) { return elu(m.away_from({0}, {7}), 0.5); });
  s.add(elu_op, {.smooth = false}, [](SampleMaker& m) { return elu(m.reals({0.0, -0.0}), 0.5); });
  s.add(clip_op, [](SampleMaker& m) { return clip(m.away_from({-1, 0.5}, {9}), -1, 0.5); });
  s.add(clip_op, [](SampleMaker& m) { return clip(m.away_from({0}, {9}), 0, 6); });
  s.add(clip_op, [](SampleMaker& m) { return clip(m.indices({9}, 20), 3, 11); });
  s.add(clip_op, {.smooth = false}, [](SampleMaker& m) { return clip(m.reals({-1, 0.5, 3}), -1, 0.5); });
  further_activation_samples(s);
  trigonometric_samples(s);
}

}  // namespace backdrop
