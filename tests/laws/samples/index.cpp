#include <backdrop/ops/index.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void index_samples(Samples& s) {
  s.add(index_select_op, [](SampleMaker& m) { return index_select(m.real({4, 3}), m.indices({5}, 4)); });
  s.add(index_select_op, [](SampleMaker& m) {
    return index_select(m.real({2, 4, 3}), m.indices({2, 3}, 4), 1);
  });
  s.add(index_select_op, [](SampleMaker& m) { return index_select(m.real({2, 3}), m.indices({}, 3), -1); });
  s.add(index_select_op, [](SampleMaker& m) { return index_select(m.real({0, 3}), m.indices({2}, 3), 1); });
  s.add(index_select_op, {.large = true}, [](SampleMaker& m) {
    return index_select(m.real({50, 60}), m.indices({700}, 50));
  });
  s.add(index_add_op, [](SampleMaker& m) { return index_add(m.real({5, 3}), m.indices({5}, 4), 0, 4); });
  s.add(index_add_op, [](SampleMaker& m) {
    return index_add(m.real({2, 2, 3}), m.indices({2, 3}, 2), 1, 2);
  });
  s.add(index_add_op, [](SampleMaker& m) { return index_add(m.real({2}), m.indices({}, 3), -1, 3); });
  s.add(index_add_op, [](SampleMaker& m) { return index_add(m.real({0, 2}), m.indices({0}, 3), 0, 3); });
  s.add(index_add_op, {.large = true}, [](SampleMaker& m) {
    return index_add(m.real({700, 150}), m.indices({700}, 50), 0, 50);
  });
  s.add(gather_op, [](SampleMaker& m) { return gather(m.real({4, 3}), m.indices({4, 1}, 3), 1); });
  s.add(gather_op, [](SampleMaker& m) { return gather(m.real({2, 3, 2}), m.indices({5, 3, 2}, 2), 0); });
  s.add(gather_op, [](SampleMaker& m) { return gather(m.real({0, 3}), m.indices({0, 2}, 3), 1); });
  s.add(gather_op, {.large = true}, [](SampleMaker& m) {
    return gather(m.real({40, 30, 20}), m.indices({40, 50, 20}, 30), 1);
  });
  s.add(scatter_add_op, [](SampleMaker& m) {
    return scatter_add(m.real({4, 2}), m.indices({4, 2}, 3), 1, 3);
  });
  s.add(scatter_add_op, [](SampleMaker& m) {
    return scatter_add(m.real({5, 2}), m.indices({5, 2}, 2), 0, 2);
  });
  s.add(scatter_add_op, [](SampleMaker& m) {
    return scatter_add(m.real({2, 0}), m.indices({2, 0}, 2), 1, 2);
  });
  s.add(scatter_add_op, {.large = true}, [](SampleMaker& m) {
    return scatter_add(m.real({40, 50, 20}), m.indices({40, 50, 20}, 30), 1, 30);
  });
  s.add(one_hot_op, [](SampleMaker& m) { return one_hot(m.indices({2, 3}, 4), 4, m.dtype()); });
  s.add(one_hot_op, [](SampleMaker& m) { return one_hot(m.indices({}, 3), 3, m.dtype()); });
  s.add(one_hot_op, [](SampleMaker& m) { return one_hot(m.indices({0}, 3), 3, m.dtype()); });
}

}  // namespace backdrop
