#include <backdrop/ops/matmul.hpp>

#include "laws/samples.hpp"

namespace backdrop {

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
}

}  // namespace backdrop
