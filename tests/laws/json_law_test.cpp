#include <doctest/doctest.h>

#include <backdrop/graph/json.hpp>

#include "laws/cases.hpp"

using namespace backdrop;

TEST_CASE("load(dump(t)) is t: the same text, the same values bit for bit") {
  for_each_case({Variant::as_written, Variant::scalar, Variant::empty}, [](Case& c) {
    const std::string text = dump_json(c.tape(), {.bodies = true, .values = true});
    const auto loaded = load_json(text);
    REQUIRE(dump_json(*loaded, {.bodies = true, .values = true}) == text);
    CHECK(value_of(c, loaded->var(c.y.index())).same_bits(value_of(c, c.y)));
  });
}
