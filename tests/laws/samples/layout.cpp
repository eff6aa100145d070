#include <backdrop/graph/gradient.hpp>
#include <backdrop/ops/layout.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void layout_samples(Samples& s) {
  s.add(broadcast_to_op, [](SampleMaker& m) { return broadcast_to(m.real({3}), {2, 3}); });
  s.add(broadcast_to_op, [](SampleMaker& m) { return broadcast_to(m.real({2, 1, 3}), {2, 4, 3}); });
  s.add(broadcast_to_op, [](SampleMaker& m) { return broadcast_to(m.real({}), {2, 2}); });
  s.add(broadcast_to_op, [](SampleMaker& m) { return broadcast_to(m.real({1, 3}), {0, 3}); });
  s.add(broadcast_to_op, [](SampleMaker& m) { return broadcast_to(m.real({0, 1}), {0, 3}); });
  s.add(broadcast_to_op, [](SampleMaker& m) { return broadcast_to(m.mask({3, 1}), {3, 11}); });
  s.add(sum_to_op, [](SampleMaker& m) { return sum_to(m.real({2, 3}), {3}); });
  s.add(sum_to_op, [](SampleMaker& m) { return sum_to(m.real({2, 4, 3}), {2, 1, 3}); });
  s.add(sum_to_op, [](SampleMaker& m) { return sum_to(m.real({2, 2}), {}); });
  s.add(sum_to_op, {.large = true}, [](SampleMaker& m) { return sum_to(m.real({1200, 70}), {1, 70}); });
  s.add(sum_to_op, [](SampleMaker& m) { return sum_to(m.real({0, 3}), {1, 3}); });
  s.add(reshape_op, [](SampleMaker& m) { return reshape(m.real({2, 6}), {3, -1}); });
  s.add(reshape_op, [](SampleMaker& m) { return reshape(m.real({}), {1, 1}); });
  s.add(reshape_op, [](SampleMaker& m) { return reshape(m.real({0, 3}), {3, 0}); });
  s.add(reshape_op, [](SampleMaker& m) { return reshape(m.mask({3, 5}), {15}); });
  s.add(transpose_op, [](SampleMaker& m) { return transpose(m.real({2, 3})); });
  s.add(transpose_op, [](SampleMaker& m) { return transpose(m.real({2, 3, 4}), {1, 2, 0}); });
  s.add(transpose_op, [](SampleMaker& m) { return transpose(m.real({})); });
  s.add(transpose_op, [](SampleMaker& m) { return transpose(m.real({0, 3})); });
  s.add(transpose_op, [](SampleMaker& m) { return transpose(m.mask({3, 5})); });
  s.add(transpose_op, {.large = true}, [](SampleMaker& m) {
    return transpose(m.real({130, 3, 100}), {2, 1, 0});
  });
  s.add(slice_op, [](SampleMaker& m) { return slice(m.real({5, 4}), {1, 0}, {4, 3}); });
  s.add(slice_op, [](SampleMaker& m) { return slice(m.real({5, 4}), {kEnd, 1}, {kBegin, kEnd}, {-2, 2}); });
  s.add(slice_op, [](SampleMaker& m) { return slice(m.real({3, 2}), {2}, {1}); });
  s.add(slice_op, [](SampleMaker& m) { return slice(m.real({0, 2}), {0, 0}, {0, 1}); });
  s.add(slice_op, [](SampleMaker& m) { return slice(m.real({}), {}, {}); });
  s.add(slice_op, [](SampleMaker& m) { return slice(m.mask({3, 11}), {0, 1}, {2, 10}); });
  s.add(unslice_op, [](SampleMaker& m) { return pad(m.real({2, 3}), {1, 0}, {0, 2}); });
  s.add(unslice_op, [](SampleMaker& m) { return pad(m.real({0}), {2}, {1}); });
  s.add(unslice_op, [](SampleMaker& m) { return pad(m.real({}), {}, {}); });
  s.add(unslice_op, [](SampleMaker& m) {
    const Var x = m.real({5});
    return vjp(slice(x, {4}, {kBegin}, {-2}), x, m.real({3}));
  });
  s.add(concat_op, [](SampleMaker& m) { return concat({m.real({2, 3}), m.real({1, 3})}, 0); });
  s.add(concat_op, [](SampleMaker& m) {
    return concat({m.real({2, 1}), m.real({2, 0}), m.real({2, 3})}, 1);
  });
  s.add(concat_op, [](SampleMaker& m) { return concat({m.real({2})}, 0); });
  s.add(concat_op, [](SampleMaker& m) { return concat({m.mask({3, 5}), m.mask({3, 2})}, 1); });
  s.add(tril_op, [](SampleMaker& m) { return tril(m.real({2, 3, 4})); });
  s.add(tril_op, [](SampleMaker& m) { return tril(m.real({4, 3}), -1); });
  s.add(tril_op, [](SampleMaker& m) { return tril(m.real({3, 0}), 2); });
  s.add(tril_op, [](SampleMaker& m) { return tril(m.indices({3, 4}, 9)); });
  s.add(triu_op, [](SampleMaker& m) { return triu(m.indices({3, 4}, 9), 1); });
  s.add(triu_op, [](SampleMaker& m) { return triu(m.real({2, 3, 4})); });
  s.add(triu_op, [](SampleMaker& m) { return triu(m.real({4, 3}), 2); });
  s.add(triu_op, [](SampleMaker& m) { return triu(m.real({0, 3}), -2); });
}

}  // namespace backdrop
