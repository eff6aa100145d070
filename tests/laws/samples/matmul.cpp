#include <backdrop/ops/matmul.hpp>

#include "laws/samples.hpp"

namespace backdrop {

namespace {

Var added(SampleMaker& m, const Shape& c, const Shape& a, const Shape& b, MatmulOptions options) {
  return add_product(m.real(c), m.real({}), m.real(a), m.real(b), options);
}

}  // namespace

void matmul_samples(Samples& s) {
  s.add(matmul_op, [](SampleMaker& m) { return matmul(m.real({2, 3}), m.real({3, 4})); });
  s.add(matmul_op, [](SampleMaker& m) {
    return matmul(m.real({3, 2}), m.real({3, 4}), {.transpose_a = true});
  });
  s.add(matmul_op, [](SampleMaker& m) {
    return matmul(m.real({2, 3}), m.real({4, 3}), {.transpose_b = true});
  });
  s.add(matmul_op, [](SampleMaker& m) { return matmul(m.real({3, 2}), m.real({4, 3}), {true, true}); });
  s.add(matmul_op, [](SampleMaker& m) { return matmul(m.real({3}), m.real({3, 2})); });
  s.add(matmul_op, [](SampleMaker& m) { return matmul(m.real({3}), m.real({3})); });
  s.add(matmul_op, [](SampleMaker& m) { return matmul(m.real({2, 2, 3}), m.real({3})); });
  s.add(matmul_op, [](SampleMaker& m) { return matmul(m.real({2, 1, 2, 3}), m.real({2, 3, 2})); });
  s.add(matmul_op, [](SampleMaker& m) { return matmul(m.real({2, 0}), m.real({0, 3})); });
  s.add(matmul_op, [](SampleMaker& m) { return matmul(m.real({0, 2}), m.real({2, 3})); });
  s.add(matmul_op, {.large = true}, [](SampleMaker& m) {
    return matmul(m.real({260, 70}), m.real({70, 90}));
  });
  s.add(matmul_op, {.large = true}, [](SampleMaker& m) {
    return matmul(m.real({2, 70, 300}), m.real({300, 70}));
  });

  s.add(add_product_op, [](SampleMaker& m) { return added(m, {2, 4}, {2, 3}, {3, 4}, {}); });
  s.add(add_product_op, [](SampleMaker& m) { return added(m, {2, 4}, {3, 2}, {3, 4}, {true, false}); });
  s.add(add_product_op, [](SampleMaker& m) { return added(m, {2, 4}, {2, 3}, {4, 3}, {false, true}); });
  s.add(add_product_op, [](SampleMaker& m) {
    return added(m, {2, 2, 4}, {2, 3, 2}, {2, 4, 3}, {true, true});
  });
  s.add(add_product_op, [](SampleMaker& m) { return added(m, {1, 4}, {1, 3}, {3, 4}, {}); });
  s.add(add_product_op, [](SampleMaker& m) { return added(m, {4, 1}, {4, 3}, {3, 1}, {}); });
  s.add(add_product_op, [](SampleMaker& m) { return added(m, {3, 4}, {3, 1}, {1, 4}, {}); });
  s.add(add_product_op, [](SampleMaker& m) { return added(m, {3, 4}, {1, 3}, {4, 1}, {true, true}); });
  s.add(add_product_op, [](SampleMaker& m) { return added(m, {2, 3}, {2, 0}, {0, 3}, {}); });
  s.add(add_product_op, [](SampleMaker& m) { return added(m, {0, 3}, {0, 2}, {2, 3}, {}); });
  s.add(add_product_op, {.large = true}, [](SampleMaker& m) {
    return added(m, {260, 90}, {260, 70}, {70, 90}, {});
  });
}

}  // namespace backdrop
