#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

#include "laws/cases.hpp"

using namespace backdrop;

namespace {

void check_expanded(const Case& c, const Tape& expanded) {
  for (std::size_t i = 0; i < expanded.size(); ++i) {
    const Op& op = *expanded.node(i).op;
    CHECK_MESSAGE(!op.is_composite(), c.name() << ": expand leaves " << std::string(op.name));
  }
}

void check_same(const Case& c, const Tape& fused, const Tape& expected) {
  CHECK_MESSAGE(same_recording(fused, expected), c.name() << ": expanded and fused again\n"
                                                          << dump_json(fused, {.bodies = false})
                                                          << "\nand should be\n"
                                                          << dump_json(expected, {.bodies = false}));
}

}  // namespace

TEST_CASE("fuse(expand(t)) is t again") {
  for_each_case({Variant::as_written, Variant::scalar, Variant::empty}, [](Case& c) {
    const Rewrite expanded = expand(c.tape());
    check_expanded(c, expanded.tape());
    check_same(c, fuse(expanded.tape()).tape(), c.tape());
  });
}

// A rule may write dropout by hand: scale(mul(g, mask), s) of a leaky function. It is folded with or without
// the expansion.
TEST_CASE("fuse(expand(t)) is fuse(t) for derivatives") {
  for_each_case({Variant::as_written, Variant::scalar, Variant::empty}, [](Case& c) {
    results(c);
    const Rewrite expanded = expand(c.tape());
    check_expanded(c, expanded.tape());
    check_same(c, fuse(expanded.tape()).tape(), fuse(c.tape()).tape());
  });
}
