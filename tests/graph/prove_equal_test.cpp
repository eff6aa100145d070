#include <doctest/doctest.h>

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// What is proven equal is equal, the equal things that matter are proven, and what differs is shown.
using namespace backdrop;

namespace {

Proof proof_of(Var a, Var b) {
  const std::size_t size = a.tape().size();
  Proof proof = prove_equal(a, b);
  CHECK(a.tape().size() == size);
  CHECK(bool(prove_equal(b, a)) == bool(proof));
  return proof;
}

bool names(const Proof& proof, std::string_view op, unsigned line = 0) {
  const std::string where = line == 0 ? "" : ":" + std::to_string(line);
  const auto is = [&](const Proof::Place& place) {
    return place.op.starts_with(op) && place.source.ends_with(where);
  };
  return !proof && (is(proof.first_a) || is(proof.first_b));
}

Var mean_of_squares(Var y) { return mean(square(y)); }

}  // namespace

TEST_CASE("the derivative of dropout is proven to be that of Mul and Scale, in every way it is made") {
  for (double p : {0.0, 0.1, 0.5, 1.0}) {
    for (const char* kind : {"drawn", "given", "broadcast"}) {
      CAPTURE(p);
      CAPTURE(kind);
      Tape tape;
      const Var x = tape.input("x", {2, 3}), g = tape.input("g", {2, 3}), t = tape.input("t", {2, 3});
      const Var mask = kind == std::string("drawn")   ? dropout_mask(tape, {2, 3}, p, Key{7, 1})
                       : kind == std::string("given") ? tape.constant(Tensor::mask({{1, 0, 1}, {0, 1, 1}}))
                                                      : tape.input("m", {3}, DType::mask);
      const Var spread = mask.shape() == x.shape() ? mask : broadcast_to(mask, x.shape());
      const Var fused = dropout(x, p, mask), composed = scale(mul(x, spread), keep_scale(p));
      CHECK(proof_of(fused, composed));
      CHECK(proof_of(vjp(fused, x, g), vjp(composed, x, g)));
      CHECK(proof_of(jvp(fused, x, t), jvp(composed, x, t)));
      CHECK(proof_of(vjp(fused, x, g), jvp(composed, x, g)));
      CHECK(proof_of(hvp(sum(square(fused)), x, t), hvp(sum(square(composed)), x, t)));
      CHECK(proof_of(grad(sum(tanh(fused)), x), grad(sum(tanh(composed)), x)));

      const Rewrite open = expand(tape);
      CHECK(proof_of(vjp(fused, x, g), vjp(open(fused), open(x), open(g))));
      CHECK(proof_of(hvp(sum(square(fused)), x, t), hvp(sum(square(open(fused))), open(x), open(t))));

      const Var wrong = mul(g, spread);  // the mask as 0s and 1s
      const bool nothing_kept = p == 1 && kind == std::string("drawn");
      CHECK(bool(prove_equal(vjp(fused, x, g), wrong)) == (p == 0 || nothing_kept));
    }
  }
}

TEST_CASE("rules of calculus are proven") {
  Tape tape;
  const Var x = tape.input("x", {3}), y = tape.input("y", {3}), z = tape.input("z", {3}),
            g = tape.input("g", {3});
  CHECK(proof_of((x + y) * z, x * z + y * z));
  CHECK(proof_of(square(x + y), x * x + 2 * x * y + y * y));
  CHECK(proof_of(x - y, -(y - x)));
  CHECK(proof_of(div(x, y), x * reciprocal(y)));
  CHECK(proof_of(pow(x, 3), x * square(x)));
  CHECK(proof_of(sqrt(x) * sqrt(x), x));
  CHECK(proof_of(rsqrt(x), sqrt(x) / x));
  CHECK(proof_of(vjp(x * y, x, g) + vjp(x * y, y, g), g * y + x * g));
  CHECK(proof_of(vjp(square(x), x, g), vjp(x * x, x, g)));
  CHECK(proof_of(vjp(pow(x, 3), x, g), vjp(x * x * x, x, g)));
  CHECK(proof_of(vjp(div(x, y), y, g), -(g * x / square(y))));
  CHECK(proof_of(vjp(tanh(x), x, g), g * (1 - tanh(x)) * (1 + tanh(x))));
  CHECK(proof_of(vjp(sigmoid(x), x, g), g * sigmoid(x) * sigmoid(-x)));
  CHECK(proof_of(vjp(tanh(x), x, g), jvp(tanh(x), x, g)));
  CHECK(proof_of(vjp(exp(sin(x * y)), x, g), jvp(exp(sin(y * x)), x, g)));
  CHECK(proof_of(vjp(where(greater(x, y), x, z), x, g), g - g * cast(less_equal(x, y), DType::f32)));
  CHECK(proof_of(vjp(silu(x), x, g), g * (sigmoid(x) + x * sigmoid(x) * (1 - sigmoid(x)))));
  const Var four = tape.input("four", {4});  // 3 times the double 1/3 is not 1, so not three
  CHECK(proof_of(var(four, {0}), mean(square(four)) - square(mean(four))));
  CHECK(proof_of(exp(x - log(y)), exp(x) / y));
}

TEST_CASE("sums, broadcasts, transpositions and matrix products are proven by their indices") {
  Tape tape;
  const Var a = tape.input("a", {2, 3}), b = tape.input("b", {3, 4}), c = tape.input("c", {4, 5});
  const Var r = tape.input("r", {3}), g = tape.input("g", {2, 4});
  CHECK(proof_of(transpose(matmul(a, b), {1, 0}), matmul(transpose(b, {1, 0}), transpose(a, {1, 0}))));
  CHECK(proof_of(matmul(matmul(a, b), c), matmul(a, matmul(b, c))));
  CHECK(proof_of(matmul(a, b + b), 2 * matmul(a, b)));
  CHECK(proof_of(vjp(matmul(a, b), a, g), matmul(g, b, {.transpose_b = true})));
  CHECK(proof_of(vjp(matmul(a, b), b, g), transpose(matmul(transpose(g, {1, 0}), a), {1, 0})));
  CHECK(proof_of(sum(matmul(a, b)), sum(sum(a, {0}, false) * sum(b, {1}, false))));
  CHECK(proof_of(sum(sum(a, {1}, false)), sum(a)));
  CHECK(proof_of(sum(a * r, {1}, false), reshape(matmul(a, reshape(r, {3, 1})), {2})));
  CHECK(proof_of(tanh(broadcast_to(r, {2, 3})), broadcast_to(tanh(r), {2, 3})));
  CHECK(proof_of(mean(broadcast_to(r, {2, 3}), {0}, false), r));
  // <g, J t> = <J' g, t>
  const Var w = tape.input("w", {2, 3}), y = tanh(matmul(a, b));
  CHECK(proof_of(sum(g * jvp(y, a, w)), sum(vjp(y, a, g) * w)));
}

TEST_CASE("derivatives of composites are proven to be those of their bodies") {
  Tape tape;
  const Var x = tape.input("x", {2, 5}, DType::f64);
  const std::vector<std::function<Var(Var)>> functions{
      [](Var v) { return softmax(v); },
      [](Var v) { return log_softmax(v); },
      [](Var v) { return gelu(v); },
      [](Var v) { return silu(v); },
      [](Var v) { return mean(v, {0}, false); },
      [](Var v) { return mse(v, 2 * v); },
      [](Var v) {
        return dropout(v, 0.25, Key{1, 2});
      },
  };
  for (std::size_t k = 0; k < functions.size(); ++k) {
    CAPTURE(k);
    Tape other;
    const Var u = other.input("x", {2, 5}, DType::f64);
    const Var y = functions[k](x);
    const Rewrite open = expand(functions[k](u).tape());
    const Var body = open(other.var(other.size() - 1));
    const Var seed = tape.input("seed" + std::to_string(k), y.shape(), DType::f64);
    const Var same = open(u).tape().input("seed" + std::to_string(k), y.shape(), DType::f64);
    CHECK(proof_of(y, body));
    CHECK(proof_of(vjp(y, x, seed), vjp(body, open(u), same)));
  }
}

TEST_CASE("the gradient of a network with dropout is proven to be that of the composed one") {
  Tape tape;
  const Var x = tape.input("x", {4, 3}), target = tape.input("target", {4, 2});
  const Var w1 = tape.variable("w1", Tensor::full({3, 8}, 0.5)), b1 = tape.variable("b1", Tensor::zeros({8}));
  const Var w2 = tape.variable("w2", Tensor::full({8, 2}, 0.25));
  const auto loss = [&](bool fused) {
    const Var h = relu(matmul(x, w1) + b1);
    const Var d = fused ? dropout(h, 0.1, Key{3, 0})
                        : scale(mul(h, dropout_mask(tape, {4, 8}, 0.1, Key{3, 0})), keep_scale(0.1));
    return mean_of_squares(matmul(d, w2) - target);
  };
  const std::vector<Var> weights{w1, b1, w2};
  const auto fused = grad(loss(true), weights), composed = grad(loss(false), weights);
  for (std::size_t k = 0; k < weights.size(); ++k) CHECK(proof_of(fused[k], composed[k]));
  CHECK_FALSE(proof_of(fused[0], fused[1]));
}

TEST_CASE("two recordings of one function are proven equal across tapes, and leaves are not mixed up") {
  Tape one, two;
  const Tensor value({1.0, 2.0});
  const Var x = one.input("x", {2}), w = one.variable("w", value);
  const Var w2 = two.variable("w", value), x2 = two.input("x", {2});
  CHECK(proof_of(tanh(x * w), tanh(w2 * x2)));
  CHECK_FALSE(proof_of(x * w, x2 * two.variable("v", value)));
  CHECK_FALSE(proof_of(x * w, x2 * two.input("w", {2})));
  // Two Variables of one name, value by value alike, are two all the same.
  Tape three;
  const Var v = three.variable("v", value), other = three.variable("v", value);
  CHECK_FALSE(proof_of(v + other, 2 * v));
  CHECK_FALSE(proof_of(one.constant(Tensor({1.0, 2.0})), one.constant(Tensor({1.0, 3.0}))));
  CHECK(proof_of(one.constant(Tensor({1.0, 2.0})), one.constant(Tensor({1.0, 2.0}))));
}

TEST_CASE("what differs is not proven, and the node that differs is named") {
  Tape tape;
  const Var x = tape.input("x", {2, 2}), y = tape.input("y", {2, 2}), g = tape.input("g", {2, 2});
  const Var mask = tape.input("mask", {2, 2}, DType::mask), other = tape.input("other", {2, 2}, DType::mask);

  SUBCASE("the 0/1 mask in place of 0/2") {
    const Var right = vjp(dropout(x, 0.5, mask), x, g), wrong = mul(g, mask);
    const Proof proof = proof_of(right, wrong);
    CHECK(names(proof, "scale in dropout"));
    CHECK(proof.why == "the first is 2 times the second");
    CHECK(proof.a.form == "2 * g * mask");
    CHECK(proof.b.form == "g * mask");
  }
  SUBCASE("another key") {
    const Var a = dropout(x, 0.5, Key{1, 0}), b = dropout(x, 0.5, Key{1, 1});
    const Proof proof = proof_of(vjp(tanh(a), x, g), vjp(tanh(b), x, g));
    CHECK(names(proof, "dropout_mask"));
    CHECK(proof.why == "they have another key");
  }
  SUBCASE("another mask") {
    const Proof proof = proof_of(vjp(dropout(x, 0.5, mask), x, g), vjp(dropout(x, 0.5, other), x, g));
    CHECK(proof.first_a.name == "mask");
    CHECK(proof.first_b.name == "other");
  }
  SUBCASE("another p") {
    CHECK(names(proof_of(vjp(dropout(x, 0.5, mask), x, g), vjp(dropout(x, 0.25, mask), x, g)),
                "scale in dropout"));
  }
  SUBCASE("the sign") {
    const Proof proof = proof_of(sin(x * y) * y, sin(x * y) * -y);
    CHECK(names(proof, "neg"));
    CHECK(proof.why == "they differ in sign");
  }
  SUBCASE("a factor of 1.001") {
    const Proof proof = proof_of(tanh(scale(x, 2)) * y, y * tanh(scale(x, 2.002)));
    CHECK(names(proof, "scale"));
    CHECK(proof.why == "they have another factor");
  }
  SUBCASE("a missing term") {
    const Var right = vjp(x * x * y, x, g), wrong = g * x * y;
    CHECK(names(proof_of(x * y + sin(y), x * y), "add"));
    CHECK(proof_of(right, wrong).why == "the first is 2 times the second");
    CHECK(proof_of(x * y + sin(y), x * y).why ==
          "1 of the 2 terms of the first are terms of the second, which has 1");
  }
  SUBCASE("swapped operands") {
    CHECK(names(proof_of(exp(x - y), exp(y - x)), "sub"));
    const Proof proof = proof_of(exp(div(x, y)), exp(div(y, x)));
    CHECK(names(proof, "div"));
    CHECK(proof.why == "their operands are swapped");
  }
  SUBCASE("a transposed matrix") {
    const Proof proof = proof_of(tanh(matmul(x, y)), tanh(matmul(x, y, {.transpose_b = true})));
    CHECK(names(proof, "matmul"));
    CHECK(proof.why == "they have another transpose_b");
    CHECK_FALSE(proof_of(matmul(x, y), matmul(y, x)));
    CHECK_FALSE(proof_of(x, transpose(x, {1, 0})));
  }
  SUBCASE("another axis") {
    CHECK(names(proof_of(exp(sum(x, {0}, false)), exp(sum(x, {1}, false))), "sum"));
    CHECK_FALSE(proof_of(softmax(x, 0), softmax(x, 1)));
    CHECK_FALSE(proof_of(cumsum(x, 0), cumsum(x, 1)));
  }
  SUBCASE("what only looks alike") {
    CHECK_FALSE(proof_of(mul(x, x), x));
    CHECK(proof_of(mul(mul(x, mask), mask), mul(x, mask)));
    CHECK_FALSE(proof_of(relu(x), x));
    CHECK_FALSE(proof_of(abs(x), sqrt(square(x)) + x));
    CHECK_FALSE(proof_of(sqrt(square(x)), x));
    CHECK_FALSE(proof_of(exp(-x), -exp(x)));
    CHECK_FALSE(proof_of(cos(-x), -cos(x)));
    CHECK_FALSE(proof_of(softplus(-x), softplus(x)));
    CHECK_FALSE(proof_of(greater(x, y), greater_equal(x, y)));
    CHECK_FALSE(proof_of(greater(x, y), greater(y, x)));
    CHECK_FALSE(proof_of(cast(cast(x, DType::i64), DType::f32), x));
    CHECK_FALSE(proof_of(cast(cast(x, DType::mask), DType::f32), x));
    CHECK_FALSE(proof_of(stop_gradient(x), x + x));
    CHECK_FALSE(proof_of(x, cast(x, DType::f64)));
    CHECK_FALSE(proof_of(sum(x * y), sum(x) * sum(y)));
    CHECK_FALSE(proof_of(sum(broadcast_to(x, {3, 2, 2})), sum(x)));
    CHECK(proof_of(sum(broadcast_to(x, {3, 2, 2})), 3 * sum(x)));
    CHECK_FALSE(
        proof_of(broadcast_to(sum(x, {0}), {2, 2}), broadcast_to(reshape(sum(x, {0}), {2, 1}), {2, 2})));
    CHECK_FALSE(proof_of(reshape(transpose(x, {1, 0}), {4}), reshape(x, {4})));
    CHECK_FALSE(proof_of(max(x, {0}), max(x, {1})));
    CHECK_FALSE(proof_of(scale(scale(x, 0.1), 3), scale(x, 0.3)));  // 3 * 0.1 is not 0.3
    CHECK(proof_of(scale(scale(x, 0.1), 3), scale(x, 0.1) + scale(x, 0.1) + scale(x, 0.1)));
    CHECK(prove_equal(scale(scale(x, 0.1), 3), scale(x, 0.3)).why ==
          "they differ by no more than the rounding of factors");
  }
}

TEST_CASE("large recordings are compared in linear time and without recursion") {
  const auto chain = [](Var x, Var y, bool flipped) {
    Var v = x;
    for (int k = 0; k < 2500; ++k) v = flipped ? x + 3 * scale(tanh(y * v), 0.5) : 1.5 * tanh(v * y) + x;
    return v;
  };
  Tape tape;
  const Var x = tape.input("x", {2}), y = tape.input("y", {2}), g = tape.input("g", {2});
  const Var a = vjp(chain(x, y, false), y, g), b = vjp(chain(x, y, true), y, g);
  CHECK(tape.size() > 40000);
  CHECK(prove_equal(a, b));
  CHECK_FALSE(prove_equal(a, vjp(chain(x, x, true), y, g)));
  // Sums and powers that would grow without bound.
  Var long_sum = x, power = x + y;
  for (int k = 0; k < 3000; ++k) long_sum = long_sum * y + scale(x, 0.9);
  for (int k = 0; k < 200; ++k) power = square(power) + scale(power, 1e300);
  CHECK(prove_equal(long_sum, long_sum + 0 * x));
  CHECK_FALSE(prove_equal(power, long_sum));
}

TEST_CASE("a factor that is almost an integer is not taken for it") {
  Tape tape;
  const Var v = tape.input("v", {2}, DType::f64);
  for (const double little : {0x1p-54, 0x1p-60}) {
    CHECK_FALSE(prove_equal(exp(scale(log(v), 1) + scale(log(v), little)), v).equal);
  }
  CHECK(prove_equal(exp(scale(log(v), 2)), square(v)).equal);
}

TEST_CASE("a checkpoint is proven to change neither the value nor the gradient") {
  Tape tape;
  const Var x = tape.input("x", {2, 3}, DType::f64);
  const auto layer = [](Var v) { return square(tanh(dropout(v, .5, Key{1, 2}))); };
  const Var stored = layer(x), recomputed = checkpoint(layer, x);
  CHECK(prove_equal(stored, recomputed).equal);
  CHECK(prove_equal(grad(sum(stored), x), grad(sum(recomputed), x)).equal);
}

TEST_CASE("the ways to write what has a kink are proven equal, and their derivatives where they are") {
  Tape tape;
  const Var x = tape.input("x", {3}), y = tape.input("y", {3}), g = tape.input("g", {3});
  const std::vector<std::function<Var(Var)>> ramps{
      [](Var u) { return relu(u); },
      [](Var u) { return where(greater(u, 0), u, 0); },
      [](Var u) { return u * greater(u, 0); },
      [](Var u) { return where(less(0., u), u, 0); },
      [](Var u) { return where(less_equal(u, 0), 0, u); },
      [](Var u) { return mul(u, cast(greater(scale(u, 4), 0), DType::f32)); },
      [](Var u) { return u - u * less_equal(u, 0); },
  };
  const std::vector<std::function<Var(Var)>> others{
      [](Var u) { return maximum(u, 0); },   [](Var u) { return maximum(0., u); },
      [](Var u) { return -minimum(-u, 0); }, [](Var u) { return where(greater_equal(u, 0), u, 0); },
      [](Var u) { return u + relu(-u); },    [](Var u) { return scale(u + abs(u), .5); },
  };
  using Argument = Var (*)(Var, Var);
  const Argument arguments[] = {
      [](Var v, Var) { return v; },       [](Var v, Var) { return -v; },
      [](Var v, Var w) { return v - w; }, [](Var v, Var w) { return w - v; },
      [](Var v, Var) { return 2 * v; },   [](Var v, Var w) { return v * w - 3; },
  };
  for (const Argument argument : arguments) {
    for (const auto& f : ramps) {
      CAPTURE(&f - ramps.data());
      Tape own;
      const Var v = own.input("x", {3}), t = own.input("g", {3}), u = argument(v, own.input("y", {3}));
      const Var ramp = relu(u), other = f(u), slope = vjp(ramp, v, t), other_slope = vjp(other, v, t);
      CHECK(proof_of(ramp, other));
      CHECK(proof_of(slope, other_slope));
      CHECK(proof_of(jvp(ramp, v, t), other_slope));
      CHECK(proof_of(relu(ramp), other));
      CHECK_FALSE(proof_of(u, other));
      CHECK_FALSE(proof_of(relu(-u), other));
      CHECK_FALSE(proof_of(vjp(u, v, t), other_slope));
      for (const auto& g_of : others) CHECK(proof_of(ramp, g_of(u)));
      // Half of it at 0, all of it at 0.
      CHECK_FALSE(proof_of(slope, vjp(maximum(u, 0), v, t)));
      CHECK_FALSE(proof_of(slope, vjp(where(greater_equal(u, 0), u, 0), v, t)));
    }
  }
  CHECK(proof_of(greater(3 * (x - y), 0), greater(x, y)));
  CHECK(proof_of(maximum(x, y), maximum(y, x)));
  CHECK(proof_of(maximum(x, y), where(greater(x, y), x, y)));
  CHECK(proof_of(maximum(x, y), where(less(x, y), y, x)));
  CHECK(proof_of(maximum(x, y) + minimum(x, y), x + y));
  CHECK(proof_of(maximum(x, y), y + relu(x - y)));
  CHECK(proof_of(vjp(maximum(x, y), x, g), vjp(maximum(y, x), x, g)));
  CHECK(proof_of(vjp(maximum(x, y), x, g) + vjp(maximum(x, y), y, g), g));
  CHECK(proof_of(abs(x - y), abs(y - x)));
  CHECK(proof_of(abs(x), x * sign(x)));
  CHECK(proof_of(abs(x), maximum(x, -x)));
  CHECK(proof_of(square(abs(x)), square(x)));
  CHECK(proof_of(vjp(abs(x), x, g), g * sign(x)));
  CHECK(proof_of(sign(-x), -sign(x)));
  CHECK(proof_of(leaky_relu(x, .25), maximum(x, .25 * x)));
  CHECK_FALSE(proof_of(maximum(x, y), minimum(x, y)));
  CHECK_FALSE(proof_of(abs(x), x));
  CHECK_FALSE(proof_of(square(sign(x)), full(tape, {3}, 1)));
  CHECK_FALSE(proof_of(sign(x), where(greater(x, 0), 1, full(tape, {3}, -1))));
  CHECK_FALSE(proof_of(leaky_relu(x, .25), maximum(x, .5 * x)));
  CHECK_FALSE(proof_of(greater(x, 0), greater_equal(x, 0)));
  CHECK_FALSE(proof_of(relu(x + y), relu(x) + relu(y)));
  CHECK_FALSE(proof_of(relu(x - 1), relu(x) - 1));
}

TEST_CASE("sigmoid and what is made of it are proven to be what e^x makes of them") {
  Tape tape;
  const Var x = tape.input("x", {3}), y = tape.input("y", {3}), g = tape.input("g", {3});
  for (const Var u : {x, -x, x * y, -2 * x, x - y, y - x}) {
    const std::vector<std::vector<Var>> same{
        {sigmoid(u), 1 / (1 + exp(-u)), exp(u) / (1 + exp(u)), exp(u) / (exp(u) + 1), 1 - sigmoid(-u),
         1 - 1 / (1 + exp(u)), reciprocal(2 + 2 * exp(-u)) * 2,
         exp(log_sigmoid(u) * 1 + 0) + sigmoid(u) - exp(log_sigmoid(u))},
        {tanh(u), 2 * sigmoid(2 * u) - 1, 1 - 2 / (exp(2 * u) + 1), 2 / (1 + exp(-2 * u)) - 1, -tanh(-u),
         (1 - exp(-2 * u)) / (1 + exp(-2 * u)), (exp(2 * u) - 1) / (exp(2 * u) + 1)},
        {silu(u), u * sigmoid(u), u / (1 + exp(-u)), u - u * sigmoid(-u)},
        {exp(u), sigmoid(u) / (1 - sigmoid(u)), sigmoid(u) / sigmoid(-u), reciprocal(1 - sigmoid(u)) - 1},
    };
    for (const auto& ways : same) {
      for (const Var way : ways) {
        CHECK(proof_of(ways[0], way));
        CHECK(proof_of(vjp(ways[0], x, g), vjp(way, x, g)));
      }
    }
    for (std::size_t k = 0; k < same.size(); ++k) {
      for (std::size_t j = 0; j < k; ++j) {
        for (const Var way : same[j]) CHECK_FALSE(proof_of(same[k][0], way));
      }
    }
  }
  CHECK(proof_of(vjp(tanh(x), x, g), g * (1 - square(tanh(x)))));
  CHECK(proof_of(vjp(tanh(x), x, g), 4 * g * sigmoid(2 * x) * sigmoid(-2 * x)));
  CHECK(proof_of(vjp(sigmoid(x), x, g), g * exp(-x) / square(1 + exp(-x))));
  CHECK(proof_of(vjp(vjp(sigmoid(x), x, g), x, g),
                 square(g) * sigmoid(x) * sigmoid(-x) * (1 - 2 * sigmoid(x))));
  CHECK_FALSE(proof_of(sigmoid(x), 1 / (1 + exp(x))));
  CHECK_FALSE(proof_of(sigmoid(x), 1 / (1 + 1.001 * exp(-x))));
  CHECK_FALSE(proof_of(sigmoid(x), 1 / (1 + exp(-y))));
  CHECK_FALSE(proof_of(tanh(x), 2 * sigmoid(x) - 1));
  CHECK_FALSE(proof_of(vjp(tanh(x), x, g), g * (1 - tanh(x))));
  CHECK_FALSE(proof_of(vjp(sigmoid(x), x, g), g * exp(-x) / (1 + exp(-x))));
  const Var a = tape.input("a", {2, 3}), b = tape.input("b", {3}), h = tape.input("h", {2, 3});
  const Var terms = exp(a - max(a, {1}, true)), by_hand = terms / sum(terms, {1}, true);
  CHECK(proof_of(softmax(a), by_hand));
  CHECK_FALSE(proof_of(softmax(a), terms / sum(terms, {0}, true)));
  CHECK(proof_of(vjp(softmax(a), a, h), by_hand * (h - sum(h * by_hand, {1}, true))));
  CHECK_FALSE(proof_of(vjp(softmax(a), a, h), by_hand * (h - sum(h, {1}, true))));
  CHECK(proof_of(sigmoid(a + b), 1 / (1 + exp(-(a + b)))));
  CHECK(proof_of(sigmoid(broadcast_to(b, {2, 3})), 1 / (1 + exp(-broadcast_to(b, {2, 3})))));
}
