#include <fmt/format.h>

#include <backdrop/graph/gradient.hpp>
#include <backdrop/graph/jacobian.hpp>
#include <cmath>

#include "laws.hpp"

namespace backdrop::laws {

namespace {

// A compressed Jacobian trusts what the ops declare: an entry missing from the pattern would be lost, and
// spoil another.
void check_pattern(Bench& b, Case& c, Var x) {
  const SparseJacobian found = sparse_jacobian(c.y, x, {.feeds = c.maker.feeds(), .step = kStep});
  if (found.rows != c.y.shape().numel() || found.columns != x.shape().numel()) {
    return b.fail(c, fmt::format("the sparse Jacobian in {} has another size", x.name()));
  }
  const Var seed = c.direction(c.y);
  const Tensor expected = value_of(c, vjp(c.y, x, seed)), g = value_of(c, seed);
  std::vector<double> sum(found.columns), size(found.columns);
  for (std::size_t r = 0; r < found.rows; ++r) {
    for (std::size_t e = found.row_begin[r]; e < found.row_begin[r + 1]; ++e) {
      const double entry = found.values.at(e);
      if (g.at(r) == 0 || entry == 0) continue;
      sum[found.column[e]] += g.at(r) * entry;
      size[found.column[e]] += std::abs(g.at(r) * entry);
    }
  }
  for (std::size_t j = 0; j < found.columns; ++j) {
    const double most = 4096 * epsilon_of(c.maker.dtype()) * (size[j] + std::abs(expected.at(j)));
    const bool same = std::abs(sum[j] - expected.at(j)) <= most;
    const bool undefined = !std::isfinite(sum[j]) && !std::isfinite(expected.at(j));
    if (same || undefined) continue;
    return b.fail(c, fmt::format("by the pattern of what the ops declare, element {} of the vjp in {} is {}, "
                                 "and whole {}",
                                 j, x.name(), sum[j], expected.at(j)));
  }
}

}  // namespace

void sparsity(Bench& b) {
  b.for_each({Variant::as_written, Variant::scalar, Variant::empty}, [&](Case& c) {
    if (c.maker.dtype() != b.widest() || !has_derivatives(c) || c.sample.traits.large) return false;
    for (const Var x : c.maker.differentiable()) check_pattern(b, c, x);
    return true;
  });
}

}  // namespace backdrop::laws
