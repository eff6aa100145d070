#include <backdrop/ops/arithmetic.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void arithmetic_samples(Samples& s) {
  s.add(add_op, [](SampleMaker& m) { return add(m.real({2, 3}), m.real({2, 3})); });
  s.add(add_op, [](SampleMaker& m) { return add(m.real({2, 1, 3}), m.real({4, 1})); });
  s.add(mul_op, [](SampleMaker& m) { return mul(m.real({2, 3}), m.real({2, 3})); });
  s.add(mul_op, [](SampleMaker& m) { return mul(m.real({2, 3}), m.real({3})); });
  s.add(mul_op, [](SampleMaker& m) { return mul(m.real({3, 7}), m.mask({3, 7})); });
  s.add(mul_op, [](SampleMaker& m) { return mul(m.real({3, 7}), m.mask({7})); });
  s.add(multiply_add_op, [](SampleMaker& m) {
    return multiply_add(m.real({2, 3}), m.real({2, 3}), m.real({2, 3}));
  });
  s.add(multiply_add_op,
        [](SampleMaker& m) { return multiply_add(m.real({300}), m.real({300}), m.real({300})); });
  s.add(multiply_add_op, [](SampleMaker& m) { return multiply_add(m.real({}), m.real({}), m.real({})); });
  s.add(multiply_add_op, [](SampleMaker& m) { return multiply_add(m.real({0}), m.real({0}), m.real({0})); });
  s.add(scale_op, [](SampleMaker& m) { return scale(m.real({5}), 1 / 0.9); });
  s.add(scale_op, [](SampleMaker& m) { return scale(m.real({2, 2}), -3); });
  s.add(square_op, [](SampleMaker& m) { return square(m.real({2, 3})); });
  s.add(sub_op, [](SampleMaker& m) { return sub(m.real({2, 3}), m.real({2, 3})); });
  s.add(sub_op, [](SampleMaker& m) { return 1 - m.real({3}); });
  s.add(div_op, [](SampleMaker& m) { return div(m.real({2, 3}), m.positive({2, 3})); });
  s.add(div_op, [](SampleMaker& m) { return div(m.real({3}), m.positive({2, 1})); });
  s.add(neg_op, [](SampleMaker& m) { return neg(m.real({2, 3})); });
  s.add(pow_op, [](SampleMaker& m) { return pow(m.positive({5}), 2.5); });
  s.add(pow_op, [](SampleMaker& m) { return pow(m.positive({5}), -1); });
  s.add(pow_op, [](SampleMaker& m) { return pow(m.real({5}), 3); });
  s.add(pow_op, [](SampleMaker& m) { return pow(m.real({5}), 1); });
  s.add(pow_op, [](SampleMaker& m) { return pow(m.real({5}), 0); });
  s.add(power_op, [](SampleMaker& m) { return pow(m.positive({2, 3}), m.real({2, 3})); });
  s.add(power_op, [](SampleMaker& m) { return pow(m.positive({2, 1}), m.real({3})); });
  s.add(power_op, [](SampleMaker& m) { return pow(2.5, m.real({3})); });
  s.add(power_op, [](SampleMaker& m) {
    return pow(m.real({4}, {-2, -0.25}), m.fixed(m.reals({3, -2, 1, 0})));
  });
  s.add(power_op, {.smooth = false}, [](SampleMaker& m) {
    return pow(m.reals({0, 0, 0, 2}), m.reals({0, 1, 2, 0}));
  });
  s.add(maximum_op, [](SampleMaker& m) { return maximum(m.real({5}, {-2, 0}), m.real({5}, {0.25, 2})); });
  s.add(maximum_op, [](SampleMaker& m) { return maximum(m.away_from({0.5}, {2, 5}), 0.5); });
  s.add(maximum_op, [](SampleMaker& m) { return maximum(m.indices({2, 5}, 9), m.indices({5}, 9)); });
  s.add(minimum_op, [](SampleMaker& m) { return minimum(m.indices({2, 5}, 9), 4); });
  s.add(mul_op, [](SampleMaker& m) { return mul(m.indices({2, 5}, 9), m.mask({5})); });
  s.add(maximum_op, {.smooth = false}, [](SampleMaker& m) {
    return maximum(m.reals({1, 2, 3}), m.reals({3, 2, 1}));
  });
  s.add(minimum_op, [](SampleMaker& m) { return minimum(m.real({5}, {-2, 0}), m.real({5}, {0.25, 2})); });
  s.add(minimum_op, [](SampleMaker& m) { return minimum(m.away_from({0.5}, {2, 5}), 0.5); });
  s.add(minimum_op, {.smooth = false}, [](SampleMaker& m) {
    return minimum(m.reals({1, 2, 3}), m.reals({3, 2, 1}));
  });
  s.add(abs_op, [](SampleMaker& m) { return abs(m.away_from({0}, {7})); });
  s.add(abs_op, {.smooth = false}, [](SampleMaker& m) { return abs(m.reals({0.0, -0.0})); });
  s.add(sign_op, [](SampleMaker& m) { return sign(m.away_from({0}, {7})); });
  s.add(sign_op, {.smooth = false}, [](SampleMaker& m) { return sign(m.reals({0.0, -0.0})); });
  s.add(sqrt_op, [](SampleMaker& m) { return sqrt(m.positive({7})); });
  s.add(rsqrt_op, [](SampleMaker& m) { return rsqrt(m.positive({7})); });
  s.add(reciprocal_op, [](SampleMaker& m) { return reciprocal(m.positive({7})); });
  s.add(reciprocal_op, [](SampleMaker& m) { return reciprocal(m.real({7}, {-2, -0.25})); });
}

}  // namespace backdrop
