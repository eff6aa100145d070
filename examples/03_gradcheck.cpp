// How a wrong derivative is found: dropout with the bare 0/1 mask on the way back, as an op of our own.
#include <backdrop/backdrop.hpp>
namespace bd = backdrop;

// An op is one literal. Its body says what it means; its vjp forgets the factor 1/(1-p).
constexpr auto p = bd::attr::real("p").between(0, 1);
constinit const bd::Op careless_op{
    .name = "careless_dropout",
    .inputs = {"x", "mask"},
    .attrs = {p},
    .structure = bd::Structure::diagonal,
    .infer = [](const bd::Call& c) { return c.type(0); },
    .vjp = {[](const bd::Call& c, bd::Var g) { return bd::mul(g, c[1]); }},
    .jvp = {[](const bd::Call& c, bd::Var t) { return bd::dropout(t, c[p], c[1]); }},
    .body = [](const bd::Call& c) { return bd::dropout(c[0], c[p], c[1]); },
    .exact = true,
};

int main() {
  bd::Tape tape;
  bd::Var a = tape.variable("a", {1.0, -2.0, 3.0, 4.0});
  bd::Var mask =
      bd::dropout_mask(tape, {4}, 0.2, bd::Key{42, 1});  // drawn, and yet the same in every evaluation
  bd::Var careless = tape.record(careless_op, {a, mask}, {0.2}, bd::Where::here());

  fmt::print("# every entry of the Jacobian against differences\n");
  fmt::print("{}\n", bd::gradcheck(bd::square(bd::dropout(a, 0.2, mask)), {a}, {.step = 0}));
  fmt::print("{}\n", bd::gradcheck(bd::square(careless), {a}, {.step = 0}));

  fmt::print("# the trend of Taylor remainders; forward rules against reverse rules\n");
  fmt::print("{}\n", bd::gradcheck(bd::square(careless), {a},
                                   {.mode = bd::CheckMode::taylor, .step = 0, .directions = 1}));
  fmt::print("{}\n",
             bd::gradcheck(careless, {a}, {.mode = bd::CheckMode::dot_product, .step = 0, .directions = 1}));

  fmt::print("# three columns: differences, body, and the op's own rules\n");
  fmt::print("{}\n", bd::fused_vs_composed(careless));

  fmt::print("# a gradient worked out by hand\n");
  bd::Var b = bd::dropout(a, 0.2, mask);
  bd::Var by_hand = bd::scale(bd::mul(b, mask), 2);  // of sum(b^2), with the 0/1 mask
  fmt::print("{}", bd::gradcheck(bd::sum(bd::square(b)), {a}, {.step = 0, .given = {by_hand}}));
}
