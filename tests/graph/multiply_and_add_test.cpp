#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <string>
#include <vector>

using namespace backdrop;

namespace {

// Whether a Program of these multiplies and adds in one op; its results are those of node after node.
bool joins(const std::vector<Var>& outputs) {
  Tape& tape = outputs[0].tape();
  const Program program = compile(tape, {.outputs = outputs});
  const Program plain = compile(tape, {.outputs = outputs, .optimize = false});
  const Outputs found = program.run(), expected = plain.run();
  for (std::size_t k = 0; k < outputs.size(); ++k) CHECK(found[k].same_bits(expected[k]));
  CHECK(plain.explain().find("multiply_add") == std::string::npos);
  return program.explain().find("multiply_add") != std::string::npos;
}

struct Leaves {
  Tape tape;
  Var a, b, c;

  explicit Leaves(const Shape& shape = {20, 30}, DType dtype = DType::f32) {
    const auto leaf = [&](const char* name, std::uint32_t stream) {
      return tape.variable(name, normal(shape, 0, 1, Key{5, stream}, dtype));
    };
    a = leaf("a", 0), b = leaf("b", 1), c = leaf("c", 2);
  }
};

}  // namespace

TEST_CASE("a product that is only added becomes one op with the sum") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Leaves x({20, 30}, dtype);
    CHECK(joins({x.a * x.b + x.c}));
    CHECK(joins({x.c + x.a * x.b}));
    CHECK(joins({x.a * x.b + x.a * x.c}));
    CHECK(joins({tanh(x.a * x.b + x.c) + x.c}));
  }
}

TEST_CASE("a product stays where something else needs it, and sums of few elements as they are") {
  Leaves x;
  const Var product = x.a * x.b;
  SUBCASE("it is an output") { CHECK_FALSE(joins({product + x.c, product})); }
  SUBCASE("another op takes it") { CHECK_FALSE(joins({product + x.c, tanh(product)})); }
  SUBCASE("it is added to itself") { CHECK_FALSE(joins({product + product})); }
  SUBCASE("it is added twice") { CHECK_FALSE(joins({product + x.c, product + x.a})); }
  SUBCASE("it selects") {
    CHECK_FALSE(joins({mul(x.a, dropout_mask(x.tape, {20, 30}, .3, Key{1, 0})) + x.c}));
  }
  SUBCASE("it is repeated before it is added") {
    const Var row = mean(x.a, {0}) * mean(x.b, {0});
    CHECK_FALSE(joins({row + x.c}));
  }
  SUBCASE("its factors would have to be kept until the other is there") {
    Leaves square({32, 32});
    const Var early = exp(square.a), beside = tanh(square.a);
    CHECK_FALSE(joins({early * beside + matmul(early - beside, square.b)}));
    CHECK(joins({square.a * square.b + matmul(early - beside, square.b)}));
    CHECK(joins({matmul(early - beside, square.b) * beside + early}));
  }
  SUBCASE("few") {
    Leaves few({5, 6});
    CHECK_FALSE(joins({few.a * few.b + few.c}));
  }
}
