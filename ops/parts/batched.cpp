#include "parts/batched.hpp"

#include <backdrop/ops/layout.hpp>

namespace backdrop::batched {

std::int64_t size(const Call& c, std::span<const Var> x) {
  for (std::size_t k = 0; k < x.size(); ++k) {
    if (is(c, x, k)) return x[k].shape()[0];
  }
  return 1;
}

std::vector<Var> all(const Call& c, std::span<const Var> x) {
  const std::int64_t n = size(c, x);
  std::vector<Var> out(x.begin(), x.end());
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (!is(c, x, k)) out[k] = broadcast_to(out[k], Shape(before(n, c.shape(k).extents())));
  }
  return out;
}

std::vector<std::int64_t> before(std::int64_t number, Ints numbers) {
  std::vector<std::int64_t> out{number};
  out.insert(out.end(), numbers.begin(), numbers.end());
  return out;
}

std::vector<std::int64_t> moved(Ints axes) {
  std::vector<std::int64_t> out(axes.begin(), axes.end());
  for (std::int64_t& axis : out) ++axis;
  return out;
}

}  // namespace backdrop::batched
