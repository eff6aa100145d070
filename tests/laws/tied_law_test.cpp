#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

#include "laws/cases.hpp"

using namespace backdrop;

namespace {

// The recording with leaf `a` wherever leaf `b` stood.
Rewrite tied(const Tape& tape, Var a, Var b) {
  Rewrite out(tape);
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (i == b.index()) {
      out.map(i, out(a));
    } else {
      out.copy(i);
    }
  }
  return out;
}

std::vector<Tensor> run(const Case& c, Var skip, Var also, std::initializer_list<Var> vars) {
  std::vector<Feed> feeds;
  for (const Maker::Leaf& leaf : c.maker.leaves()) {
    if (leaf.var == skip) continue;
    const auto& source = leaf.var == also ? c.maker.leaves().front() : leaf;
    feeds.emplace_back(leaf.var, source.value);
  }
  return value(vars, {.feeds = std::move(feeds), .step = 3, .threads = 1});
}

// f(x, x) has the sum of both derivatives of f(a, b).
void check_tied(Case& c, Var a, Var b) {
  const Var g = c.direction(c.y), t = c.direction(a);
  const Rewrite once = tied(c.tape(), a, b);
  const std::vector<Tensor> alone =
      run(c, b, {}, {once(c.y), vjp(once(c.y), once(a), once(g)), jvp(once(c.y), once(a), once(t))});
  const Var both[] = {a, b}, tangents[] = {t, t};
  const std::vector<Var> parts = vjp(c.y, both, g);
  const std::vector<Tensor> apart = run(c, {}, b, {c.y, add(parts[0], parts[1]), jvp(c.y, both, tangents)});
  const std::string what[] = {"value", "vjp", "jvp"};
  for (std::size_t k = 0; k < alone.size(); ++k) {
    const double off = distance(alone[k], apart[k], epsilon_of(c.maker.dtype()), 1);
    CHECK_MESSAGE(off <= 16, c.name() << ", " << std::string(b.name()) << " = " << std::string(a.name())
                                      << ": the " << what[k] << " of one Var is " << to_string(alone[k])
                                      << ", of two equal ones " << to_string(apart[k]));
  }
}

}  // namespace

TEST_CASE("the same Var in two places receives the sum of both derivatives") {
  for_each_case({Variant::as_written, Variant::scalar, Variant::empty}, [](Case& c) {
    const std::vector<Var> xs = c.maker.differentiable();
    if (!c.float_result() || xs.size() < 2 || !c.sample.traits.smooth) return;
    if (xs[0] != c.maker.leaves().front().var) return;
    for (std::size_t k = 1; k < xs.size(); ++k) {
      if (xs[k].shape() == xs[0].shape()) check_tied(c, xs[0], xs[k]);
    }
  });
}
