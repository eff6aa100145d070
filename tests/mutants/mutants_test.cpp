#include <doctest/doctest.h>

#include <string>

#include "mutants/tally.hpp"

using namespace backdrop;

TEST_CASE("every wrong rule that a machine can make is found by the modes that promise it") {
  const Tally found = tally();
  CHECK(found.mutants > 500);
  for (const std::string& miss : found.missed) FAIL_CHECK(miss);
}
