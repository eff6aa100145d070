#include <doctest/doctest.h>

#include "laws/cases.hpp"

using namespace backdrop;

namespace {

// Random numbers in f64 take twice the bits: they are others. Masks are the same.
bool draws_numbers(const Tape& tape) {
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (tape.node(i).op->random && is_float(tape.node(i).dtype)) return true;
  }
  return false;
}

}  // namespace

// Inputs and directions are of size 1, and so is what cancels where a result is much smaller.
TEST_CASE("results and derivatives in f32 are near those in f64") {
  for_each_case({Variant::as_written, Variant::scalar}, [](Case& c) {
    if (c.maker.dtype() != DType::f32) return;
    if (draws_numbers(make_case(c.sample, DType::f32)->tape())) return;
    const std::unique_ptr<Case> exact = make_case(c.sample, DType::f64, c.variant);
    const std::vector<Tensor> a = values(c, results(c)), b = values(*exact, results(*exact));
    for (std::size_t k = 0; k < a.size(); ++k) {
      const double off = distance(a[k], b[k], epsilon_of(DType::f32), 1);
      CHECK_MESSAGE(off <= c.sample.traits.rounding, c.name() << ": result " << k << " is " << to_string(a[k])
                                                              << ", in f64 " << to_string(b[k]) << ": " << off
                                                              << " epsilon");
    }
  });
}
