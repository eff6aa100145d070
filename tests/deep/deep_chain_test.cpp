#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>

// Run on a stack of 256 KiB: whatever recurses over the graph, or over how it is held, dies here.
using namespace backdrop;

namespace {

constexpr int kNodes = 1'000'000;

struct Chain {
  Tape tape;
  Var x, mask, y;

  Chain() : x(tape.input("x", {2}, DType::f64)), mask(tape.input("mask", {2}, DType::mask)), y(x) {
    for (int k = 0; k < kNodes; ++k) {
      switch (k % 4) {
        case 0:
          y = dropout(y, 0.5, mask);
          break;
        case 1:
          y = scale(y, 0.5);
          break;
        case 2:
          y = add(y, x);
          break;
        default:
          y = scale(y, 0.75);
      }
    }
  }
  std::vector<Feed> feeds() const {
    return {{x, Tensor({1.5, -2}, DType::f64)}, {mask, Tensor::mask({1, 0})}};
  }
};

// The same in plain arithmetic: the value for x, which is linear in x.
double followed(double x, bool kept) {
  double y = x;
  for (int k = 0; k < kNodes; ++k) {
    switch (k % 4) {
      case 0:
        y = kept ? y * 2 : 0;
        break;
      case 1:
        y *= 0.5;
        break;
      case 2:
        y += x;
        break;
      default:
        y *= 0.75;
    }
  }
  return y;
}

void check_values(const Tensor& got, double first, double second) {
  CHECK(got.at(0) == doctest::Approx(first));
  CHECK(got.at(1) == doctest::Approx(second));
}

}  // namespace

TEST_CASE("a chain of a million nodes is recorded, differentiated both ways, compiled and run") {
  Chain chain;
  const Var t = full_like(chain.x, 1);
  const Var gradient = grad(sum(chain.y), chain.x), tangent = jvp(chain.y, chain.x, t);
  for (const bool optimize : {false, true}) {
    const Program program =
        compile(chain.tape, {.outputs = {chain.y, gradient, tangent}, .updates = {}, .optimize = optimize});
    const Outputs out = program.run(chain.feeds(), {.step = 0, .threads = 1});
    check_values(out[0], followed(1.5, true), followed(-2, false));
    check_values(out[1], followed(1, true), followed(1, false));
    check_values(out[2], followed(1, true), followed(1, false));
  }
}

TEST_CASE("a region of a million nodes is computed again") {
  Tape tape;
  const Var x = tape.input("x", {2}, DType::f64);
  const Var y = checkpoint(
      [](Var v) {
        for (int k = 0; k < kNodes; ++k) v = scale(v, k % 2 == 0 ? 0.5 : 2);
        return v;
      },
      x);
  const Var g = grad(sum(y), x);
  CHECK(tape.size() > 2 * kNodes);
  CHECK(value(g, {.feeds = {{x, Tensor({1, 2}, DType::f64)}}}).same_bits(Tensor({1, 1}, DType::f64)));
}

TEST_CASE("a chain of a million nodes is dumped and loaded") {
  const Chain chain;
  const std::string text = dump_json(chain.tape);
  const std::unique_ptr<Tape> loaded = load_json(text);
  CHECK(loaded->size() == chain.tape.size());
  CHECK(dump_json(*loaded) == text);
}

TEST_CASE("a chain of a million nodes is expanded, fused and taken without dropout") {
  const Chain chain;
  const Rewrite expanded = expand(chain.tape);
  CHECK(expanded.tape().size() == chain.tape.size() + kNodes / 4);
  CHECK(same_recording(fuse(expanded.tape()).tape(), chain.tape));
  CHECK(without_dropout(chain.tape).tape().size() == chain.tape.size() - kNodes / 4);
}
