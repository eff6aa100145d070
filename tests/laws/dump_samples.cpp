#define DOCTEST_CONFIG_IMPLEMENT  // which the cases need; there is nothing to run
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <backdrop/graph/json.hpp>
#include <backdrop/ops/registry.hpp>

#include "laws/cases.hpp"

// Prints the dump of every sample of every op, one after the other, for other programs to check.
int main() {
  using namespace backdrop;
  for (const Op* op : all_ops()) {
    for (const OpSample& sample : samples_of(*op)) {
      for (const DType dtype : {DType::f32, DType::f64}) {
        const auto c = make_case(*op, sample, dtype);
        fmt::print("{}", dump_json(c->tape(), {.bodies = true, .values = dtype == DType::f32}));
      }
    }
  }
}
