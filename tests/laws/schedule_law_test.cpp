#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

#include "laws/cases.hpp"

using namespace backdrop;

namespace {

void check_same(const Case& c, const std::string& how, std::span<const Tensor> a, std::span<const Tensor> b) {
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
