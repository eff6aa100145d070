#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <string>
#include <vector>

using namespace backdrop;

namespace {

constexpr Key kKey{4, 2};

Tensor numbers(const Shape& shape) { return normal(shape, 0, 1, Key{5, 0}, DType::f32); }

// Whether a Program of these draws and stores a mask; its results are those of node after node.
bool stores_mask(const std::vector<Var>& outputs) {
  Tape& tape = outputs[0].tape();
  const Program program = compile(tape, {.outputs = outputs});
  const Program plain = compile(tape, {.outputs = outputs, .optimize = false});
  const Outputs found = program.run({}, {.step = 7, .threads = 2}), expected = plain.run({}, {.step = 7});
  for (std::size_t k = 0; k < outputs.size(); ++k) CHECK(found[k].same_bits(expected[k]));
  return program.explain().find("dropout_mask") != std::string::npos;
}

}  // namespace

TEST_CASE("a mask is drawn where it is used, forwards and backwards, and not stored") {
  for (const double p : {0., .1, .25, .5, 1.}) {
    CAPTURE(p);
    Tape tape;
    const Var x = tape.variable("x", numbers({40, 101})), w = tape.variable("w", numbers({101, 7}));
    const Var y = sum(square(matmul(dropout(x, p, kKey), w)));
    CHECK_FALSE(stores_mask({y}));
    CHECK_FALSE(stores_mask({y, grad(y, x)}));
  }
}

TEST_CASE("a mask that is drawn for millions of elements has the same bits") {
  Tape tape;
  const Var x = tape.variable("x", numbers({5'000'000}));
  CHECK_FALSE(stores_mask({dropout(x, .1, kKey)}));
}

TEST_CASE("a mask stays where something else needs it") {
  Tape tape;
  const Var x = tape.variable("x", numbers({40, 101})), other = tape.variable("other", numbers({40, 101}));
  const Var mask = dropout_mask(tape, {40, 101}, .1, kKey);
  const Var y = dropout(x, .1, mask);
  SUBCASE("it is an output") { CHECK(stores_mask({y, mask})); }
  SUBCASE("another op takes it") { CHECK(stores_mask({y, where(mask, other, x)})); }
  SUBCASE("it is another p by which it was drawn") { CHECK(stores_mask({dropout(x, .2, mask)})); }
  SUBCASE("it is used at another p, too") { CHECK(stores_mask({y, dropout(other, .2, mask)})); }
  SUBCASE("it is drawn for one row") {
    CHECK(stores_mask({dropout(x, .1, dropout_mask(tape, {101}, .1, kKey))}));
  }
  SUBCASE("it is used many times") {
    CHECK(stores_mask({y, dropout(other, .1, mask), dropout(square(other), .1, mask)}));
  }
}

TEST_CASE("what a checkpoint computes again draws its mask again") {
  Tape tape;
  const Var x = tape.variable("x", numbers({40, 101}));
  const Var y = sum(square(checkpoint([](Var v) { return tanh(dropout(v, .1, kKey)); }, x)));
  CHECK_FALSE(stores_mask({y, grad(y, x)}));
}

TEST_CASE("drawn_dropout is dropout by its key, also for many values at once and for samples") {
  Tape tape;
  const Var x = tape.variable("x", numbers({3, 50})), many = tape.variable("many", numbers({6, 3, 50}));
  const Var y = dropout(x, .25, kKey), drawn = drawn_dropout(x, .25, kKey);
  CHECK(value(drawn, {.step = 3}).same_bits(value(y, {.step = 3})));
  CHECK(value(vmap(drawn, x, many), {.step = 3}).same_bits(value(vmap(y, x, many), {.step = 3})));
  CHECK(value(grad(sum(square(drawn)), x)).same_bits(value(grad(sum(square(y)), x))));
  CHECK(prove_equal(grad(sum(square(drawn)), x), grad(sum(square(y)), x)).equal);
  Keys one(8), two(8);
  CHECK(value(monte_carlo(drawn, 20, one).mean).same_bits(value(monte_carlo(y, 20, two).mean)));
  CHECK(value(without_dropout(tape)(drawn)).same_bits(value(x)));
}
