#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>

#include "laws/cases.hpp"

using namespace backdrop;

// A compressed Jacobian trusts what the ops declare: an entry missing from the pattern would be lost, and
// spoil another.
TEST_CASE("no entry of a Jacobian lies outside of its pattern") {
  std::size_t sparse = 0;
  for_each_case({Variant::as_written, Variant::scalar, Variant::empty}, [&](Case& c) {
    if (c.maker.dtype() != DType::f64 || !c.float_result() || c.sample.traits.large) return;
    for (const Var x : c.maker.differentiable()) {
      const SparseJacobian found = sparse_jacobian(c.y, x, {.feeds = c.maker.feeds(), .step = 3});
      sparse += found.column.size() < found.rows * found.columns ? 1 : 0;
      REQUIRE(found.rows == c.y.shape().numel());
      REQUIRE(found.columns == x.shape().numel());
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
        const bool same = std::abs(sum[j] - expected.at(j)) <= 1e-12 * (size[j] + std::abs(expected.at(j)));
        const bool undefined = !std::isfinite(sum[j]) && !std::isfinite(expected.at(j));
        CHECK_MESSAGE((same || undefined), c.name() << ", element " << j << " of " << std::string(x.name()));
      }
    }
  });
  CHECK(sparse > 100);
}
