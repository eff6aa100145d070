#define DOCTEST_CONFIG_IMPLEMENT  // which the cases need; there is nothing to run
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <backdrop/graph/json.hpp>

#include "laws/cases.hpp"

// Prints the dump of every sample of every op, one after the other, for other programs to check.
int main() {
  using namespace backdrop;
  for (const Sample& sample : all_samples()) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      if (const auto c = make_case(sample, dtype)) {
        fmt::print("{}", dump_json(c->tape(), {.bodies = true, .values = dtype == DType::f32}));
      }
    }
  }
}
