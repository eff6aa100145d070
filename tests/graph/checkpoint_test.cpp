#include <doctest/doctest.h>

#include <array>
#include <backdrop/backdrop.hpp>
#include <functional>
#include <vector>

using namespace backdrop;

namespace {

using Layer = std::function<Var(Var)>;

Tensor numbers(const Shape& shape, DType dtype, std::uint32_t stream) {
  return normal(shape, 0, 1, Key{77, stream}, dtype);
}

// What stands around a region in the nets below: with a checkpoint, or the function alone.
Var plain(const Layer& f, Var x) { return f(x); }
Var recomputed(const Layer& f, Var x) { return checkpoint(f, x); }
using Around = Var (*)(const Layer&, Var);

// Three residual layers with dropout, two of them in one region with another region inside. The regions
// capture weights, and a value computed before.
struct Net {
  Tape tape;
  Keys keys{5};
  std::vector<Var> weights;
  Var loss;

  Net(DType dtype, Around around) {
    const Var x = tape.input("x", {6, 4}, dtype);
    for (std::uint32_t k = 0; k < 3; ++k) {
      weights.push_back(tape.variable("w" + std::to_string(k), numbers({4, 4}, dtype, k)));
    }
    const Var early = sigmoid(matmul(x, weights[2]));
    const auto layer = [&](Var v, std::size_t k) {
      const Var inner =
          around([&](Var u) { return dropout(tanh(matmul(u, weights[k])), 0.25, keys.next()); }, v);
      return inner * early + v;
    };
    const Var h = around([&](Var v) { return layer(layer(v, 0), 1); }, matmul(x, weights[0]));
    loss = mean(square(around([&](Var v) { return layer(v, 2); }, h) + h));
  }

  std::vector<Tensor> derivatives(bool optimize = true) {
    std::vector<Var> wanted{loss}, directions;
    for (Var w : weights) directions.push_back(tape.constant(numbers({4, 4}, w.dtype(), 10 + w.index())));
    for (Var g : grad(loss, weights)) wanted.push_back(g);
    for (Var h : hvp(loss, weights, directions)) wanted.push_back(h);
    const Program program = compile(tape, {.outputs = wanted, .updates = {}, .optimize = optimize});
    const Outputs out = program.run({{"x", numbers({6, 4}, loss.dtype(), 9)}}, {.step = 4});
    std::vector<Tensor> values;
    for (std::size_t k = 0; k < out.size(); ++k) values.push_back(out[k]);
    return values;
  }
};

struct RandomNet {
  std::uint32_t seed, drawn = 0, regions = 0;
  Around around;
  Tape tape;
  std::vector<Var> leaves, seen;
  Var loss;

  RandomNet(std::uint32_t s, Around a) : seed(s), around(a) {
    for (std::uint32_t k = 0; k < 3; ++k) {
      leaves.push_back(tape.variable("w" + std::to_string(k), numbers({3, 3}, DType::f64, k)));
    }
    seen = leaves;
    loss = mean(square(some(some(leaves[0], 0), 0) + pick(seen)));
  }

  std::uint32_t below(std::uint32_t n) { return random_block(Key{seed, 1}, 0, drawn++)[0] % n; }
  Var pick(const std::vector<Var>& from) { return from[below(static_cast<std::uint32_t>(from.size()))]; }

  // A few nodes, some of which are regions; after a region only its result is seen.
  Var some(Var x, int depth) {
    const std::uint32_t count = 2 + below(5);
    for (std::uint32_t k = 0; k < count; ++k) {
      const std::uint32_t kind = below(depth < 3 ? 7 : 5);
      const Var other = pick(seen);
      if (kind >= 5) {
        const std::size_t outside = seen.size();
        ++regions;
        x = around([&](Var v) { return some(v, depth + 1); }, x);
        seen.resize(outside);
      } else if (kind == 4) {
        x = dropout(x, 0.25, Key{seed, 2 + below(3)});
      } else {
        x = kind == 0 ? tanh(x) : kind == 1 ? x * other : kind == 2 ? x + other : matmul(x, other);
      }
      seen.push_back(x);
    }
    return x;
  }

  std::vector<Tensor> derivatives() {
    std::vector<Var> wanted{loss}, directions;
    for (Var w : leaves) directions.push_back(tape.constant(numbers({3, 3}, w.dtype(), 10 + w.index())));
    for (Var g : grad(loss, leaves)) wanted.push_back(g);
    for (Var h : hvp(loss, leaves, directions)) wanted.push_back(h);
    return value(wanted, {.step = 1});
  }
};

void check_same_bits(std::span<const Tensor> a, std::span<const Tensor> b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t k = 0; k < a.size(); ++k) {
    INFO("result ", k, ": ", to_string(a[k]), " and ", to_string(b[k]));
    CHECK(a[k].same_bits(b[k]));
  }
}

std::size_t count(const Tape& tape, const Op& op) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < tape.size(); ++i) n += tape.node(i).op == &op ? 1 : 0;
  return n;
}

std::vector<Var> variables(const Tape& tape) {
  std::vector<Var> out;
  for (std::size_t i = 0; i < tape.size(); ++i) {
    if (tape.node(i).op == &variable_op) out.push_back(tape.var(i));
  }
  return out;
}

enum class Storing { all, segments };

// Value and gradients of a chain of n layers with dropout, each with a weight of its own.
std::size_t arena_of_chain(std::size_t n, Storing storing) {
  Tape tape;
  Keys keys(3);
  std::vector<Var> weights;
  std::vector<Layer> layers;
  for (std::size_t k = 0; k < n; ++k) {
    weights.push_back(tape.variable("w" + std::to_string(k), Tensor::ones({32})));
    layers.emplace_back(
        [w = weights.back(), key = keys.next()](Var v) { return dropout(tanh(v * w), 0.5, key); });
  }
  Var y = tape.input("x", {64, 32});
  if (storing == Storing::segments) {
    y = checkpoint_sequential(layers, y);
  } else {
    for (const Layer& layer : layers) y = layer(y);
  }
  std::vector<Var> outputs{sum(y)};
  for (Var g : grad(outputs[0], weights)) outputs.push_back(g);
  return compile(tape, {.outputs = outputs}).arena_bytes();
}

}  // namespace

TEST_CASE("with checkpoints gradients and Hessian-vector products keep every bit, dropout inside") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const std::vector<Tensor> stored = Net(dtype, plain).derivatives();
    check_same_bits(Net(dtype, recomputed).derivatives(), stored);
    check_same_bits(Net(dtype, recomputed).derivatives(false), stored);
  }
}

// Regions within regions at random, each of which may use whatever was recorded before it began.
TEST_CASE("a hundred nets with regions at random keep every bit, too") {
  std::uint32_t regions = 0;
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    INFO("seed ", seed);
    const std::vector<Tensor> stored = RandomNet(seed, plain).derivatives();
    RandomNet net(seed, recomputed);
    check_same_bits(net.derivatives(), stored);
    regions += net.regions;
  }
  CHECK(regions > 100);
}

TEST_CASE("checkpoints survive dump and load, expand, fuse and compile to the bit") {
  Net net(DType::f64, recomputed);
  const std::vector<Var> g = grad(net.loss, net.weights);
  const std::vector<Feed> feeds{{"x", numbers({6, 4}, DType::f64, 9)}};
  const std::vector<Tensor> before = value(g, {.feeds = feeds, .step = 1});
  const auto loaded = load_json(dump_json(net.tape, {.values = true}));
  const Rewrite expanded = expand(*loaded), fused = fuse(expanded.tape());
  CHECK(same_recording(fused.tape(), fuse(net.tape).tape()));
  CHECK(count(fused.tape(), checkpoint_op) == count(net.tape, checkpoint_op));
  const Var loss = loaded->var(net.loss.index());
  for (const Var there : {loss, expanded(loss), fused(expanded(loss))}) {  // differentiated there
    check_same_bits(value(grad(there, variables(there.tape())), {.feeds = feeds, .step = 1}), before);
  }
}

TEST_CASE("without dropout a checkpointed recording is that of the plain one") {
  Net stored(DType::f64, plain), net(DType::f64, recomputed);
  const std::vector<Feed> feeds{{"x", numbers({6, 4}, DType::f64, 9)}};
  const Rewrite a = without_dropout(stored.tape), b = without_dropout(net.tape);
  CHECK(count(b.tape(), dropout_op) == 0);
  CHECK(value(b(net.loss), {.feeds = feeds}).same_bits(value(a(stored.loss), {.feeds = feeds})));
  std::vector<Var> there, here;
  for (Var w : stored.weights) there.push_back(a(w));
  for (Var w : net.weights) here.push_back(b(w));
  check_same_bits(value(grad(b(net.loss), here), {.feeds = feeds}),
                  value(grad(a(stored.loss), there), {.feeds = feeds}));
}

TEST_CASE("a derivative in a node within a region reaches that node") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({0.5, 2}, DType::f64));
  Var within;
  const Var y = checkpoint([&](Var v) { return exp(within = square(v)); }, x);
  const auto [at_within, at_x] = grad(sum(y), within, x);
  CHECK(value(at_within).same_bits(value(y)));
  CHECK(value(at_x).same_bits(value(grad(sum(exp(square(x))), x))));
}

TEST_CASE("a value that leaves its region by another way gets its derivative too") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({3.}, DType::f64));
  Var leaked;
  const Var y = checkpoint([&](Var v) { return square(leaked = square(v)); }, x);
  CHECK(value(grad(sum(y + 5 * leaked), x)).item() == 4 * 27 + 10 * 3);
  CHECK(value(grad(grad(sum(y + 5 * leaked), x), x)).item() == 12 * 9 + 10);
}

TEST_CASE("derivatives of a checkpoint have derivatives, of any order") {
  Tape tape;
  const Var x = tape.variable("x", Tensor::scalar(2, DType::f64));
  Var y = checkpoint([](Var v) { return square(checkpoint([](Var u) { return square(u); }, v)); }, x);
  for (const double expected : {32., 48., 48., 24., 0.}) {
    y = grad(y, x);
    CHECK(value(y).item() == expected);
  }
}

TEST_CASE("copies stand on the line of what they copy") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({0.5, 2}));
  unsigned line = 0;
  const Var y = checkpoint(
      [&](Var v) {
        line = __builtin_LINE() + 1;
        return tanh(exp(v));
      },
      x);
  const std::size_t before = tape.size();
  grad(sum(y), x);
  std::size_t copies = 0;
  for (std::size_t i = before; i < tape.size(); ++i) {
    if (tape.node(i).op != &exp_op) continue;
    ++copies;
    CHECK(tape.where(tape.node(i)).line == line);
  }
  CHECK(copies == 1);
}

TEST_CASE("a function that throws leaves nothing of its region behind") {
  Tape tape;
  const Var x = tape.variable("x", Tensor({0.5, 2}));
  const std::size_t before = tape.size();
  CHECK_THROWS_AS(checkpoint(
                      [](Var v) {
                        return matmul(tanh(v), v + Tensor({1, 2, 3}).at(0)).tape().var(99);
                      },
                      x),
                  Error);
  CHECK_THROWS_AS(checkpoint([](Var v) { return add(tanh(v), sum(reshape(v, {3}))); }, x), ShapeError);
  CHECK(tape.size() == before);
  const std::vector<Layer> layers{[](Var v) { return tanh(v); }};
  CHECK_THROWS_AS(checkpoint_sequential(layers, x, 2), ValueError);
  CHECK_THROWS_AS(checkpoint_sequential(layers, x, -1), ValueError);
}

TEST_CASE("any number of segments gives the same bits") {
  Tape tape;
  const Var x = tape.variable("x", numbers({5}, DType::f64, 0));
  std::vector<Layer> layers;
  for (int k = 0; k < 7; ++k) layers.emplace_back([k](Var v) { return sin(v) + 0.1 * k * v; });
  Var y = x;
  for (const Layer& layer : layers) y = layer(y);
  const Tensor expected = value(grad(sum(y), x));
  for (std::int64_t segments = 0; segments <= 7; ++segments) {
    const std::size_t before = count(tape, checkpoint_op);
    const Var z = checkpoint_sequential(layers, x, segments);
    CHECK(count(tape, checkpoint_op) - before == static_cast<std::size_t>(segments == 0 ? 3 : segments));
    CHECK(value(grad(sum(z), x)).same_bits(expected));
  }
  CHECK(checkpoint_sequential(std::vector<Layer>{}, x) == x);
}

TEST_CASE("memory of a chain grows as n, and with checkpoints as the root of n") {
  // Long enough that it does not count where the groups of compile end.
  const auto arenas = [](Storing storing) {
    return std::array{arena_of_chain(900, storing), arena_of_chain(3600, storing),
                      arena_of_chain(14400, storing)};
  };
  const auto all = arenas(Storing::all), few = arenas(Storing::segments);
  const auto ratio = [](std::size_t a, std::size_t b) {
    return static_cast<double>(a) / static_cast<double>(b);
  };
  MESSAGE("stored " << all[0] << ", " << all[1] << ", " << all[2] << " bytes, with checkpoints " << few[0]
                    << ", " << few[1] << ", " << few[2]);
  CHECK(ratio(all[1], all[0]) > 3.5);
  CHECK(ratio(all[2], all[1]) > 3.5);
  CHECK(ratio(few[1], few[0]) < 2.15);  // above 2.3 if the masks were kept
  CHECK(ratio(few[2], few[1]) < 2.15);
  CHECK(ratio(all[1], few[1]) > 3);
  CHECK(ratio(all[2], few[2]) > 6);
}
