#include <backdrop/ops/scan.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void scan_samples(Samples& s) {
  s.add(cumsum_op, [](SampleMaker& m) { return cumsum(m.real({2, 3, 4}), 1); });
  s.add(cumsum_op, [](SampleMaker& m) { return cumsum(m.real({5}), 0, true); });
  s.add(cumsum_op, [](SampleMaker& m) { return cumsum(m.real({0, 3}), 0); });
  s.add(cumsum_op, {.large = true}, [](SampleMaker& m) { return cumsum(m.real({300, 400}), 0); });
  s.add(recurrence_op, [](SampleMaker& m) { return recurrence(m.real({2, 4, 3}), m.real({2, 4, 3}), 1); });
  s.add(recurrence_op, [](SampleMaker& m) { return recurrence(m.real({5}), m.real({5}), 0, true); });
  s.add(recurrence_op, [](SampleMaker& m) { return recurrence(m.reals({2, 0, 3}), m.real({3}), -1); });
  s.add(recurrence_op, [](SampleMaker& m) { return recurrence(m.real({3, 0}), m.real({3, 0}), 1); });
  s.add(recurrence_op, {.large = true}, [](SampleMaker& m) {
    return recurrence(m.real({300, 200}, {-1, 1}), m.real({300, 200}), 1);
  });
  s.add(cumprod_op, [](SampleMaker& m) { return cumprod(m.real({2, 3, 4}), 1); });
  s.add(cumprod_op, [](SampleMaker& m) { return cumprod(m.reals({1.5, 0, -2, 0, 3}), -1); });
  s.add(cumprod_op, [](SampleMaker& m) { return cumprod(m.real({2, 1}), 1); });
  s.add(cumprod_op, [](SampleMaker& m) { return cumprod(m.real({0, 3}), 0); });
  s.add(logcumsumexp_op, [](SampleMaker& m) { return logcumsumexp(m.real({2, 3, 4}), 1); });
  s.add(logcumsumexp_op, [](SampleMaker& m) { return logcumsumexp(m.real({5}, {-4, 4}), 0); });
  s.add(logcumsumexp_op, {.smooth = false}, [](SampleMaker& m) {
    return logcumsumexp(m.real({5}, {-80, 80}), 0);
  });
  s.add(logcumsumexp_op, [](SampleMaker& m) { return logcumsumexp(m.real({3, 0}), 1); });
}

}  // namespace backdrop
