#include <doctest/doctest.h>

#include <cmath>

#include "ops/evaluate.hpp"

using namespace backdrop;

namespace {

// Queries that score all keys alike, so that weights are 1 / their number, and values that tell them apart.
struct Alike {
  Tape tape;
  Var query = tape.variable("query", Tensor::zeros({3, 2}, DType::f64));
  Var key = tape.variable("key", Tensor({{1, 2}, {3, 4}, {5, 6}}, DType::f64));
  Var value = tape.variable("value", Tensor({{6, 0}, {0, 6}, {0, 0}}, DType::f64));

  std::vector<double> attend(const AttentionOptions& options) {
    return numbers(backdrop::value(scaled_dot_product_attention(query, key, value, options)));
  }
};

}  // namespace

TEST_CASE("attention weighs values by softmax of the scaled scores") {
  const Tensor query({{1, 0, 0, 0}}, DType::f64), key({{2, 0, 0, 0}, {0, 1, 0, 0}}, DType::f64);
  const Tensor value({{1}, {0}}, DType::f64);
  const auto by_default =
      results([](Var q, Var k, Var v) { return scaled_dot_product_attention(q, k, v); }, query, key, value);
  CHECK(by_default[0] == doctest::Approx(1 / (1 + std::exp(-1.0))).epsilon(1e-14));
  const auto scaled =
      results([](Var q, Var k, Var v) { return scaled_dot_product_attention(q, k, v, {.scale = 3}); }, query,
              key, value);
  CHECK(scaled[0] == doctest::Approx(1 / (1 + std::exp(-6.0))).epsilon(1e-14));
}

TEST_CASE("a query attends to what causal, a mask or a bias leave it") {
  Alike a;
  CHECK(a.attend({}) == std::vector<double>{2, 2, 2, 2, 2, 2});
  CHECK(a.attend({.causal = true}) == std::vector<double>{6, 0, 3, 3, 2, 2});
  const Var mask = a.tape.constant(Tensor::mask({0, 1, 1}));
  CHECK(a.attend({.mask = mask}) == std::vector<double>{0, 3, 0, 3, 0, 3});
  const Var bias = a.tape.constant(Tensor({0, -kInf, -kInf}, DType::f64));
  CHECK(a.attend({.mask = bias}) == std::vector<double>{6, 0, 6, 0, 6, 0});
}

TEST_CASE("a query that may attend to nothing receives 0 and disturbs no gradient") {
  Alike a;
  const Var mask = a.tape.constant(Tensor::mask({0, 1, 1}));
  const AttentionOptions options{.mask = mask, .causal = true};
  CHECK(a.attend(options) == std::vector<double>{0, 0, 0, 6, 0, 3});
  const Var y = scaled_dot_product_attention(a.query, a.key, a.value, options);
  const std::vector<Var> xs{a.query, a.key, a.value};
  const std::vector<Var> first = grad(sum(square(y)), xs);
  Var total = sum(square(first[0]));
  for (std::size_t k = 1; k < xs.size(); ++k) total = add(total, sum(square(first[k])));
  std::vector<Var> all = first;
  for (Var v : grad(total, xs)) all.push_back(v);
  for (Var v : all) {
    for (double d : numbers(backdrop::value(v))) CHECK(std::isfinite(d));
  }
  const std::vector<double> of_query = numbers(backdrop::value(first[0]));
  CHECK(of_query[0] == 0);
  CHECK(of_query[1] == 0);
  CHECK(of_query[4] != 0);
}

TEST_CASE("a bias of -inf in a whole row gives NaN, in that row") {
  Alike a;
  const Var bias = a.tape.constant(Tensor({{-kInf, -kInf, -kInf}, {0, 0, 0}, {0, 0, 0}}, DType::f64));
  const std::vector<double> y = a.attend({.mask = bias});
  CHECK(std::isnan(y[0]));
  CHECK(y[2] == 2);
}

TEST_CASE("attention drops weights after softmax, and divides the kept ones by 1-p") {
  Alike a;
  const Var kept = a.tape.constant(Tensor::mask({{1, 0, 1}, {0, 0, 0}, {1, 1, 1}}));
  CHECK(a.attend({.p = 0.5, .dropout_mask = kept}) == std::vector<double>{4, 0, 0, 0, 4, 4});
}

TEST_CASE("a dropout key draws the mask that dropout_mask draws for [..., L, S]") {
  Alike a;
  const Key key{7, 1};
  const Var mask = dropout_mask(a.tape, {3, 3}, 0.5, key);
  const Tensor drawn =
      value(scaled_dot_product_attention(a.query, a.key, a.value, {.p = 0.5, .dropout_key = key}),
            {.feeds = {}, .step = 2});
  const Tensor given =
      value(scaled_dot_product_attention(a.query, a.key, a.value, {.p = 0.5, .dropout_mask = mask}),
            {.feeds = {}, .step = 2});
  CHECK(drawn.same_bits(given));
  CHECK(a.attend({.dropout_key = key}) == a.attend({}));
}

TEST_CASE("at inference attention drops no weight, and keeps its mask") {
  Alike a;
  const Var mask = a.tape.constant(Tensor::mask({{1, 0, 0}, {1, 1, 0}, {1, 1, 1}}));
  const Var y = scaled_dot_product_attention(a.query, a.key, a.value,
                                             {.mask = mask, .p = 0.5, .dropout_key = Key{7, 1}});
  const Var expected = scaled_dot_product_attention(a.query, a.key, a.value, {.mask = mask});
  const Rewrite rewritten = without_dropout(a.tape);
  CHECK(value(rewritten(y)).same_bits(value(expected)));
  CHECK_FALSE(value(y).same_bits(value(expected)));
}

TEST_CASE("attention says what does not fit, and leaves the tape as it was") {
  Alike a;
  const Var mask = a.tape.constant(Tensor::mask({1, 0}));
  const Var narrow = a.tape.constant(Tensor::zeros({3, 1}, DType::f64));
  const std::size_t before = a.tape.size();
  CHECK_THROWS_AS(scaled_dot_product_attention(a.query, a.key, a.value, {.p = 0.1}), ValueError);
  CHECK_THROWS_AS(scaled_dot_product_attention(a.query, a.key, a.value, {.p = 2, .dropout_key = Key{}}),
                  ValueError);
  CHECK_THROWS_WITH_AS(scaled_dot_product_attention(a.query, a.key, a.value, {.mask = mask}),
                       "scaled_dot_product_attention: a mask [2] does not broadcast to the weights, [3, 3]",
                       ShapeError);
  CHECK_THROWS_AS(scaled_dot_product_attention(a.query, narrow, a.value), ShapeError);
  CHECK_THROWS_AS(scaled_dot_product_attention(a.query, a.key, mask), DTypeError);
  CHECK(a.tape.size() == before);
}
