#include <backdrop/ops/compare.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void compare_samples(Samples& s) {
  s.add(greater_op, [](SampleMaker& m) { return greater(m.real({2, 3}), m.real({3})); });
  s.add(greater_op, [](SampleMaker& m) { return greater(m.reals({1, 2, 3}), m.reals({3, 2, 1})); });
  s.add(greater_op, [](SampleMaker& m) { return greater(m.integers({1, 2, 3}), 2); });
  s.add(greater_equal_op, [](SampleMaker& m) { return greater_equal(m.real({2, 3}), m.real({3})); });
  s.add(greater_equal_op, [](SampleMaker& m) {
    return greater_equal(m.reals({1, 2, 3}), m.reals({3, 2, 1}));
  });
  s.add(greater_equal_op, [](SampleMaker& m) { return greater_equal(m.integers({1, 2, 3}), 2); });
  s.add(less_op, [](SampleMaker& m) { return less(m.real({2, 3}), m.real({3})); });
  s.add(less_op, [](SampleMaker& m) { return less(m.reals({1, 2, 3}), m.reals({3, 2, 1})); });
  s.add(less_op, [](SampleMaker& m) { return less(m.integers({1, 2, 3}), 2); });
  s.add(less_equal_op, [](SampleMaker& m) { return less_equal(m.real({2, 3}), m.real({3})); });
  s.add(less_equal_op, [](SampleMaker& m) { return less_equal(m.reals({1, 2, 3}), m.reals({3, 2, 1})); });
  s.add(less_equal_op, [](SampleMaker& m) { return less_equal(m.integers({1, 2, 3}), 2); });
  s.add(equal_op, [](SampleMaker& m) { return equal(m.real({2, 3}), m.real({3})); });
  s.add(equal_op, [](SampleMaker& m) { return equal(m.reals({1, 2, 3}), m.reals({3, 2, 1})); });
  s.add(equal_op, [](SampleMaker& m) { return equal(m.integers({1, 2, 3}), 2); });
  s.add(not_equal_op, [](SampleMaker& m) { return not_equal(m.real({2, 3}), m.real({3})); });
  s.add(not_equal_op, [](SampleMaker& m) { return not_equal(m.reals({1, 2, 3}), m.reals({3, 2, 1})); });
  s.add(not_equal_op, [](SampleMaker& m) { return not_equal(m.integers({1, 2, 3}), 2); });
  s.add(logical_and_op, [](SampleMaker& m) { return logical_and(m.mask({3, 7}), m.mask({7})); });
  s.add(logical_or_op, [](SampleMaker& m) { return logical_or(m.mask({3, 7}), m.mask({7})); });
  s.add(logical_xor_op, [](SampleMaker& m) { return logical_xor(m.mask({3, 7}), m.mask({7})); });
  s.add(logical_not_op, [](SampleMaker& m) { return logical_not(m.mask({3, 7})); });
  s.add(where_op, [](SampleMaker& m) { return where(m.mask({3, 7}), m.real({3, 7}), m.real({3, 7})); });
  s.add(where_op, [](SampleMaker& m) { return where(m.mask({7}), m.real({3, 1}), -1); });
  s.add(where_op, [](SampleMaker& m) {
    return where(m.mask({3, 7}), m.indices({3, 7}, 9), m.indices({7}, 5));
  });
  s.add(masked_fill_op, [](SampleMaker& m) { return masked_fill(m.real({3, 7}), m.mask({7}), -3); });
  s.add(masked_fill_op, [](SampleMaker& m) { return masked_fill(m.indices({3, 7}, 9), m.mask({7}), -100); });
  s.add(masked_fill_op, [](SampleMaker& m) { return masked_fill(m.real({7}), m.mask({7}), 0); });
  // Between f32 and f64 differences see the rounding and not the slope.
  s.add(cast_op, {.smooth = false},
        [](SampleMaker& m) { return cast(m.real({7}), m.dtype() == DType::f32 ? DType::f64 : DType::f32); });
  s.add(cast_op, [](SampleMaker& m) { return cast(m.real({7}), DType::i64); });
  s.add(cast_op, [](SampleMaker& m) { return cast(m.real({9}), DType::mask); });
  s.add(cast_op, [](SampleMaker& m) { return cast(m.mask({9}), m.dtype()); });
  s.add(cast_op, [](SampleMaker& m) { return cast(m.integers({-1, 0, 2}), m.dtype()); });
  s.add(stop_gradient_op, [](SampleMaker& m) { return stop_gradient(m.fixed(m.real({7}))); });
  s.add(stop_gradient_op, [](SampleMaker& m) { return stop_gradient(m.mask({9})); });
}

}  // namespace backdrop
