// A recording written as text, read back, and run again: the same masks, the same bits. Then files that say
// what cannot be.

#include <backdrop/backdrop.hpp>
#include <string>

namespace bd = backdrop;

// What loading says about `text` with the first `from` replaced by `to`.
void tamper(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  try {
    bd::load_json(text);
    fmt::print("{} -> {}: loaded\n", from, to);
  } catch (const bd::Error& error) {
    fmt::print("{} -> {}\n  {}\n", from, to, error.what());
  }
}

int main() {
  bd::Tape tape;
  const bd::Var x = tape.input("x", {2, 4});
  const bd::Var w = tape.variable("w", {{0.5, -1, 2}, {1, 0.25, -3}, {-2, 1, 1}, {0.125, 4, -0.5}});
  const bd::Var hidden = bd::dropout(x, 0.25, bd::Key{42, 0});  // a mask drawn by this key
  const bd::Var loss = bd::sum(bd::square(bd::matmul(hidden, w)));
  const bd::Var gradient = bd::grad(loss, w);

  const std::string text = bd::dump_json(tape, {.values = true});
  const std::size_t at = text.find("{\"id\": 3");
  fmt::print("The dropout node, with Mul and Scale inside:\n{}\n\n",
             text.substr(at, text.find("\n{", at) - at));

  const auto loaded = bd::load_json(text);
  fmt::print("nodes recorded and loaded: {} and {}\n", tape.size(), loaded->size());
  fmt::print("dumped again, the same bytes: {}\n", bd::dump_json(*loaded, {.values = true}) == text);

  const bd::Tensor numbers({{1, 2, 3, 4}, {5, 6, 7, 8}});
  for (const std::uint32_t step : {0U, 1U}) {
    const bd::ValueOptions run{.feeds = {{"x", numbers}}, .step = step};
    const bd::Tensor before = bd::value(gradient, run);
    const bd::Tensor after = bd::value(loaded->var(gradient.index()), run);
    fmt::print("step {}: x after dropout {}\n", step, bd::value(hidden, run));
    fmt::print("step {}: the gradient replayed, bit for bit the same: {}\n", step, before.same_bits(after));
  }

  fmt::print("\nA loaded graph can do nothing that the API forbids:\n");
  tamper(text, "\"attrs\": {\"p\": 0.25}", "\"attrs\": {\"p\": 1.5}");
  tamper(text, "\"factor\": 1.3333333333333333", "\"factor\": 1.0");
  tamper(text, "\"inputs\": [0, 2]", "\"inputs\": [0, 7]");
  tamper(text, "\"inputs\": [0, 2]", "\"inputs\": [0, 0]");
  tamper(text, "\"version\": 1", "\"version\": 2");
}
