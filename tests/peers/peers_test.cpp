#include <doctest/doctest.h>

#include <string>

#include "peers/ours.hpp"
#include "peers/verdicts.hpp"

using namespace backdrop;

TEST_CASE("of the derivatives written by hand, none that is wrong passes and all that are right do") {
  for (const peers::Case& c : peers::cases()) {
    const Report report = peers::ours(c);
    INFO(std::string(c.name));
    INFO(to_string(report));
    CHECK(report.passed() != c.wrong);
    CHECK((report.count(Verdict::fail) > 0 || !report.no_function.empty()) == c.wrong);
  }
}

TEST_CASE("the verdicts of other checkers are about the same derivatives") {
  const peers::Verdicts told = peers::read_verdicts();
  CHECK(told.rows.size() == peers::cases().size());
  for (const peers::Case& c : peers::cases()) CHECK(told.rows.count(c.name) == 1);
}
