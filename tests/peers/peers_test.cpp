#include <doctest/doctest.h>

#include <string>

#include "peers/ours.hpp"
#include "peers/verdicts.hpp"

using namespace backdrop;

// A function that is another at each call has no derivative to compare with: nothing but inconclusive.
TEST_CASE("of the derivatives written by hand, none that is wrong passes and all that are right do") {
  for (const peers::Case& c : peers::cases()) {
    const Report report = peers::ours(c);
    INFO(std::string(c.name));
    INFO(to_string(report));
    CHECK(report.passed() != c.wrong);
    const bool is_no_function = std::string(c.function) == "redrawn_dropout";
    CHECK((report.count(Verdict::fail) > 0) == (c.wrong && !is_no_function));
  }
}

TEST_CASE("the verdicts of other checkers are about the same derivatives") {
  const peers::Verdicts told = peers::read_verdicts();
  CHECK(told.rows.size() == peers::cases().size());
  for (const peers::Case& c : peers::cases()) CHECK(told.rows.count(c.name) == 1);
}
