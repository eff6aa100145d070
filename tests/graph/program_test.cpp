#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <thread>
#include <vector>

using namespace backdrop;

TEST_CASE("recording computes nothing: the same tape gives other numbers for other feeds") {
  Tape tape;
  const Var x = tape.input("x", {3});
  const Program program = compile(tape, {.outputs = {square(x), sum(x)}});
  {
    const Outputs out = program.run({{"x", Tensor({1, 2, 3})}});
    CHECK(out[0].same_bits(Tensor({1, 4, 9})));
    CHECK(out[1].item() == 6);
  }
  const Outputs out = program.run({{x, Tensor({4, 5, 6})}});
  CHECK(out[0].same_bits(Tensor({16, 25, 36})));
}

TEST_CASE("an output that is kept is not written by a later run") {
  Tape tape;
  const Var x = tape.input("x", {2});
  const Program program = compile(tape, {.outputs = {square(x)}});
  const Tensor first = program.run({{"x", Tensor({1, 2})}})[0];
  const Tensor second = program.run({{"x", Tensor({3, 4})}})[0];
  CHECK(first.same_bits(Tensor({1, 4})));
  CHECK(second.same_bits(Tensor({9, 16})));
}

TEST_CASE("an output that there is not is refused, with the number of those there are") {
  Tape tape;
  const Program program = compile(tape, {.outputs = {tape.constant({1, 2})}});
  const Outputs outputs = program.run();
  CHECK_THROWS_WITH_AS(outputs[1], "outputs: number 1 was asked for, but the program has 1, counted from 0",
                       ValueError);
}

TEST_CASE("a program outlives the tape it was compiled from") {
  auto tape = std::make_unique<Tape>();
  const Variable w("w", Tensor({2, 3}));
  const Var y = square(tape->variable(w));
  const Program program = compile(*tape, {.outputs = {y}});
  tape.reset();
  CHECK(program.run()[0].same_bits(Tensor({4, 9})));
}

TEST_CASE("updates read old values and are published together") {
  Tape tape;
  Variable a("a", Tensor({1.0}));
  Variable b("b", Tensor({2.0}));
  const Var va = tape.variable(a);
  const Var vb = tape.variable(b);
  const Program swap_and_add =
      compile(tape, {.outputs = {va, add(va, vb)}, .updates = {{a, vb}, {b, add(va, vb)}}});
  for (int run = 0; run < 4; ++run) {
    const double before_a = a.value().item();
    const double before_b = b.value().item();
    const Outputs out = swap_and_add.run();
    CHECK(out[0].item() == before_a);
    CHECK(a.value().item() == before_b);
    CHECK(b.value().item() == before_a + before_b);
  }
}

TEST_CASE("a value taken from a Variable does not change under its holder") {
  Tape tape;
  Variable w("w", Tensor({1.0, 2.0}));
  const Program step = compile(tape, {.updates = {{w, scale(tape.variable(w), 2)}}});
  const Tensor start = w.value();
  step.run();
  const Tensor next = w.value();
  step.run();
  step.run();
  CHECK(start.same_bits(Tensor({1.0, 2.0})));
  CHECK(next.same_bits(Tensor({2.0, 4.0})));
  CHECK(w.value().same_bits(Tensor({8.0, 16.0})));
}

TEST_CASE("random nodes with updates need a step, and the step decides the mask") {
  Tape tape;
  Variable w("w", Tensor::ones({64}));
  const Var mask = dropout_mask(tape, {64}, 0.5, Key{7, 0});
  const Var y = dropout(tape.variable(w), 0.5, mask);
  const Program step = compile(tape, {.outputs = {y}, .updates = {{w, tape.variable(w)}}});
  CHECK_THROWS_AS(step.run(), GraphError);
  const Tensor first = step.run({}, {.step = 0})[0];
  const Tensor second = step.run({}, {.step = 1})[0];
  CHECK_FALSE(first.same_bits(second));
  CHECK(step.run({}, {.step = 0})[0].same_bits(first));
}

TEST_CASE("feeds that are missing, unknown, doubled or of another type throw and change nothing") {
  Tape tape;
  Variable w("w", Tensor({1.0, 1.0}));
  const Var x = tape.input("x", {2});
  const Program step = compile(tape, {.updates = {{w, add(tape.variable(w), x)}}});
  const Tensor good({1, 1});
  CHECK_THROWS_AS(step.run(), GraphError);
  CHECK_THROWS_AS(step.run({{"y", good}}), GraphError);
  CHECK_THROWS_AS(step.run({{"x", good}, {"x", good}}), GraphError);
  CHECK_THROWS_AS(step.run({{"x", Tensor({1, 1, 1})}}), ShapeError);
  CHECK_THROWS_AS(step.run({{"x", Tensor({1, 1}, DType::f64)}}), DTypeError);
  CHECK(w.value().same_bits(Tensor({1.0, 1.0})));
  step.run({{"x", good}});
  CHECK(w.value().same_bits(Tensor({2.0, 2.0})));
}

TEST_CASE("compile refuses updates that cannot be") {
  Tape tape, other;
  Variable w("w", Tensor({1.0, 1.0}));
  const Var v = tape.variable(w);
  CHECK_THROWS_AS(compile(tape, {.updates = {{w, sum(v)}}}), ShapeError);
  CHECK_THROWS_AS(compile(tape, {.updates = {{w, v}, {w, square(v)}}}), GraphError);
  CHECK_THROWS_AS(compile(tape, {.outputs = {other.variable(w)}}), TapeError);
}

TEST_CASE("an input that no target needs may be fed or left out") {
  Tape tape;
  const Var x = tape.input("x", {1});
  tape.input("unused", {1});
  const Program program = compile(tape, {.outputs = {square(x)}});
  CHECK(program.run({{"x", Tensor({3})}})[0].at(0) == 9);
  CHECK(program.run({{"x", Tensor({3})}, {"unused", Tensor({3})}})[0].at(0) == 9);
}

TEST_CASE("leaves and views can be outputs, twice if asked") {
  Tape tape;
  const Var x = tape.input("x", {2, 2});
  const Var flat = reshape(x, {4});
  const Program program = compile(tape, {.outputs = {x, flat, flat, square(flat)}});
  const Tensor fed({{1, 2}, {3, 4}});
  const Outputs out = program.run({{"x", fed}});
  CHECK(out[0].same_bits(fed));
  CHECK(out[1].same_bits(Tensor({1, 2, 3, 4})));
  CHECK(out[2].same_bits(out[1]));
  CHECK(out[3].same_bits(Tensor({1, 4, 9, 16})));
}

TEST_CASE("memory of intermediate values is used again") {
  Tape tape;
  Var y = tape.input("x", {1000});
  for (int k = 0; k < 50; ++k) y = add(square(y), y);
  const Program program = compile(tape, {.outputs = {sum(y)}});
  CHECK(program.arena_bytes() <= 4 * 1000 * 4 + 4 * 64);
}

TEST_CASE("equal work is done once, unless asked not to optimise") {
  Tape tape;
  const Var x = tape.input("x", {4});
  const Var y = add(square(x), square(x));
  CHECK(compile(tape, {.outputs = {y}}).steps() == 2);
  CHECK(compile(tape, {.outputs = {y}, .optimize = false}).steps() == 3);
}

TEST_CASE("any number of threads may run one program at once") {
  Tape tape;
  const Var x = tape.input("x", {1000});
  const Program program = compile(tape, {.outputs = {sum(square(x))}});
  std::vector<double> got(8);
  {
    std::vector<std::jthread> threads;
    for (std::size_t k = 0; k < got.size(); ++k) {
      threads.emplace_back([&, k] {
        for (int run = 0; run < 50; ++run) {
          got[k] =
              program.run({{"x", Tensor::full({1000}, static_cast<double>(k))}}, {.threads = 1})[0].item();
        }
      });
    }
  }
  for (std::size_t k = 0; k < got.size(); ++k) CHECK(got[k] == static_cast<double>(1000 * k * k));
}
