#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

#include "laws/cases.hpp"

using namespace backdrop;

namespace {

// The result and, where there are any, its derivatives in all leaves.
std::vector<Var> results(Case& c) {
  std::vector<Var> out{c.y};
  const std::vector<Var> xs = c.maker.differentiable();
  if (!c.float_result() || xs.empty()) return out;
  const Var g = c.direction(c.y);
  std::vector<Var> ts;
  for (Var x : xs) ts.push_back(c.direction(x));
  for (Var v : listed(differentiate(c.y, xs, g, ts))) out.push_back(v);
  return out;
}

void check_same(const Case& c, const char* how, std::span<const Tensor> a, std::span<const Tensor> b) {
  for (std::size_t k = 0; k < a.size(); ++k) {
    CHECK_MESSAGE(a[k].same_bits(b[k]), c.name() << ": result " << k << " " << how << " " << to_string(a[k])
                                                 << ", otherwise " << to_string(b[k]));
  }
}

}  // namespace

TEST_CASE("the bits do not depend on optimisation, nor on the number of threads") {
  for_each_case({Variant::as_written, Variant::scalar, Variant::empty, Variant::large}, [](Case& c) {
    const std::vector<Var> vars = results(c);
    const std::vector<Tensor> plain = values(c, vars, false);
    check_same(c, "optimised", values(c, vars, true), plain);
    check_same(c, "with 2 threads", values(c, vars, true, 2), plain);
  });
}
