#include <backdrop/ops/layout.hpp>
#include <backdrop/ops/reduce.hpp>
#include <backdrop/ops/sort.hpp>

#include "laws/samples.hpp"

namespace backdrop {

void reduce_samples(Samples& s) {
  s.add(sum_op, [](SampleMaker& m) { return sum(m.real({2, 3})); });
  s.add(sum_op, [](SampleMaker& m) { return sum(m.real({2, 3, 4}), {0, -1}); });
  s.add(sum_op, [](SampleMaker& m) { return sum(m.real({2, 3, 4}), {1}, true); });
  s.add(sum_op, [](SampleMaker& m) { return sum(m.real({})); });
  s.add(sum_op, [](SampleMaker& m) { return sum(m.real({0, 3}), {0}); });
  s.add(sum_op, {.large = true}, [](SampleMaker& m) { return sum(m.real({300, 400}), {0}); });
  s.add(sum_op, {.large = true}, [](SampleMaker& m) { return sum(m.real({1111, 3, 40})); });
  s.add(sum_op, {.large = true}, [](SampleMaker& m) { return sum(m.real({3001, 2, 5}), {0}); });
  s.add(mean_op, {.large = true}, [](SampleMaker& m) { return mean(m.real({50, 22, 600}), {0, 1}); });
  s.add(mean_op, [](SampleMaker& m) { return mean(m.real({2, 3, 4}), {0, -1}); });
  s.add(mean_op, [](SampleMaker& m) { return mean(m.real({2, 3}), {1}, true); });
  s.add(mean_op, [](SampleMaker& m) { return mean(m.real({})); });
  s.add(mean_op, [](SampleMaker& m) { return mean(m.real({3, 0}), {0}); });

  s.add(max_op, [](SampleMaker& m) { return max(m.distinct({2, 3, 4}), {0, -1}); });
  s.add(max_op, [](SampleMaker& m) { return max(m.distinct({2, 3}), {1}, true); });
  s.add(max_op, [](SampleMaker& m) { return max(m.real({})); });
  s.add(max_op, [](SampleMaker& m) { return max(m.real({0, 3}), {1}); });
  s.add(max_op, {.smooth = false}, [](SampleMaker& m) { return max(m.reals({{1, 1, 0}, {2, 3, 3}}), {1}); });
  s.add(max_op, {.large = true}, [](SampleMaker& m) { return max(m.real({300, 400}), {0}); });
  s.add(min_op, [](SampleMaker& m) { return min(m.distinct({2, 3, 4}), {0, -1}); });
  s.add(min_op, [](SampleMaker& m) { return min(m.distinct({2, 3}), {1}, true); });
  s.add(min_op, [](SampleMaker& m) { return min(m.real({})); });
  s.add(min_op, [](SampleMaker& m) { return min(m.real({0, 3}), {1}); });
  s.add(min_op, {.smooth = false}, [](SampleMaker& m) { return min(m.reals({{1, 0, 0}, {2, 2, 3}}), {1}); });

  s.add(any_op, [](SampleMaker& m) { return any(m.mask({3, 11})); });
  s.add(any_op, [](SampleMaker& m) { return any(m.mask({2, 5, 3}), {0, -1}, true); });
  s.add(any_op, [](SampleMaker& m) { return any(m.mask({0, 3}), {0}); });
  s.add(all_op, [](SampleMaker& m) { return all(m.mask({3, 11})); });
  s.add(all_op, [](SampleMaker& m) { return all(m.mask({2, 5, 3}), {1}, true); });
  s.add(all_op, [](SampleMaker& m) { return all(m.mask({0, 3}), {0}); });
  s.add(all_op, [](SampleMaker& m) { return all(m.mask({})); });

  s.add(argsort_op, [](SampleMaker& m) { return argsort(m.distinct({2, 5})); });
  s.add(argsort_op, [](SampleMaker& m) { return argsort(m.distinct({5, 2}), 0, true); });
  s.add(argsort_op, [](SampleMaker& m) { return argsort(m.reals({1, 0, 1, -0.0, 1}), 0, true); });
  s.add(argsort_op, [](SampleMaker& m) { return argsort(m.real({3, 0})); });
  s.add(argsort_op, {.large = true}, [](SampleMaker& m) { return argsort(m.real({100, 200})); });

  s.add(argmax_op, [](SampleMaker& m) { return argmax(m.distinct({2, 3})); });
  s.add(argmax_op, [](SampleMaker& m) { return argmax(m.distinct({2, 3, 4}), 0, true); });
  s.add(argmax_op, [](SampleMaker& m) { return argmax(m.real({0, 3})); });
  s.add(argmin_op, [](SampleMaker& m) { return argmin(m.distinct({2, 3})); });
  s.add(argmin_op, [](SampleMaker& m) { return argmin(m.distinct({2, 3, 4}), 0, true); });
  s.add(argmin_op, [](SampleMaker& m) { return argmin(m.real({0, 3})); });

  s.add(var_op, [](SampleMaker& m) { return var(m.real({2, 3, 4}), {0, -1}); });
  s.add(var_op, [](SampleMaker& m) { return var(m.real({2, 5}), {1}, 1, true); });
  s.add(var_op, [](SampleMaker& m) { return var(m.real({})); });
  s.add(var_op, [](SampleMaker& m) { return var(m.real({0, 3}), {1}); });
  s.add(std_op, [](SampleMaker& m) { return stddev(m.real({2, 3, 4}), {0, -1}); });
  s.add(std_op, [](SampleMaker& m) { return stddev(m.real({2, 5}), {1}, 1, true); });
  s.add(std_op, [](SampleMaker& m) { return stddev(m.real({0, 3}), {1}); });
  s.add(prod_op, [](SampleMaker& m) { return prod(m.real({2, 3, 4}), {0, -1}); });
  s.add(prod_op, [](SampleMaker& m) { return prod(m.real({2, 3}), {1}, true); });
  s.add(prod_op, [](SampleMaker& m) { return prod(m.real({})); });
  s.add(prod_op, [](SampleMaker& m) { return prod(m.real({0, 3}), {0}); });
  s.add(prod_op, [](SampleMaker& m) { return prod(m.real({0, 3}), {1}); });
  s.add(prod_op, [](SampleMaker& m) { return prod(m.reals({{1.5, 0, -2}, {0, 3, 0}, {0, 0, 0}}), {1}); });
  s.add(prod_op, {.large = true}, [](SampleMaker& m) { return prod(m.real({300, 400}, {0.75, 1.25}), {0}); });
  s.add(norm_op, [](SampleMaker& m) { return norm(m.positive({2, 3, 4}), {0, -1}); });
  s.add(norm_op, [](SampleMaker& m) { return norm(m.positive({2, 3}), {1}, true); });
  s.add(norm_op, [](SampleMaker& m) { return norm(reshape(m.reals({2}), Shape{})); });
  s.add(norm_op, [](SampleMaker& m) { return norm(m.real({3, 0}), {0}); });
  s.add(logsumexp_op, [](SampleMaker& m) { return logsumexp(m.real({2, 3, 4}), {0, -1}); });
  s.add(logsumexp_op, [](SampleMaker& m) { return logsumexp(m.real({2, 3}), {1}, true); });
  s.add(logsumexp_op, [](SampleMaker& m) { return logsumexp(m.real({})); });
  s.add(logsumexp_op, [](SampleMaker& m) { return logsumexp(m.real({0, 3}), {1}); });
  s.add(logsumexp_op, {.large = true}, [](SampleMaker& m) { return logsumexp(m.real({300, 400}), {1}); });
}

}  // namespace backdrop
