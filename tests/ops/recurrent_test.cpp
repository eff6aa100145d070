#include <doctest/doctest.h>

#include <backdrop/core/error.hpp>

#include "ops/evaluate.hpp"

using namespace backdrop;

namespace {

// A cell of one unit and two inputs.
struct Unit {
  Tape tape;
  Var x = tape.constant(Tensor({{0.5, -1}}, DType::f64));
  Var h = tape.constant(Tensor({{0.25}}, DType::f64));
  Var c = tape.constant(Tensor({{-0.5}}, DType::f64));

  CellWeights weights(std::int64_t gates) {
    return {ramp({gates, 2}, -0.5, 0.25), ramp({gates, 1}, -0.25, 0.125),
            ramp({gates}, gates == 1 ? 0.3 : 0, 0.1), ramp({gates}, gates == 1 ? -0.1 : 0, 0.2)};
  }

 private:
  Var ramp(const Shape& shape, double start, double step) {
    return reshape(arange(tape, static_cast<std::int64_t>(shape.numel()), start, step, DType::f64), shape);
  }
};

}  // namespace

// Expected: torch.rnn_tanh_cell, torch.gru_cell and torch.lstm_cell of PyTorch 1.13 on the same numbers.
TEST_CASE("cells have PyTorch's gates, in its order") {
  Unit u;
  CHECK(value(rnn_cell(u.x, u.h, u.weights(1))).item() ==
        doctest::Approx(0.13663996695649616).epsilon(1e-14));
  CHECK(value(gru_cell(u.x, u.h, u.weights(3))).item() == doctest::Approx(0.0737430151749085).epsilon(1e-14));
  const LstmState next = lstm_cell(u.x, {u.h, u.c}, u.weights(4));
  CHECK(value(next.h).item() == doctest::Approx(-0.10973574181407007).epsilon(1e-14));
  CHECK(value(next.c).item() == doctest::Approx(-0.204066489701709).epsilon(1e-14));
}

TEST_CASE("without biases a cell is one with biases of 0; relu stands in for tanh") {
  Unit u;
  CellWeights bare = u.weights(3), zeros = bare;
  bare.b_ih = bare.b_hh = Var{};
  zeros.b_ih = zeros.b_hh = full_like(u.weights(3).b_ih, 0);
  CHECK(value(gru_cell(u.x, u.h, bare)).same_bits(value(gru_cell(u.x, u.h, zeros))));
  CellWeights one = u.weights(1);
  one.b_ih = full_like(one.b_ih, 2);
  // -0.25 + 0.25 - 0.0625 + 2 - 0.1
  CHECK(value(rnn_cell(u.x, u.h, one, true)).item() == doctest::Approx(1.8375).epsilon(1e-14));
  one.b_ih = full_like(one.b_ih, -2);
  CHECK(value(rnn_cell(u.x, u.h, one, true)).item() == 0);
}

TEST_CASE("states may lack the batch, and a cell unrolls over time") {
  Unit u;
  const CellWeights weights = u.weights(4);
  LstmState state{reshape(u.h, {1}), reshape(u.c, {1})};
  const Var x = reshape(u.x, {2});
  for (int step = 0; step < 3; ++step) state = lstm_cell(x, state, weights);
  CHECK(state.h.shape() == Shape{1});
  const Var g = grad(sum(state.h), weights.w_ih);
  for (double d : numbers(value(g))) CHECK(d != 0);
}

TEST_CASE("cells name the input that does not fit") {
  Unit u;
  const CellWeights three = u.weights(3);
  const std::size_t before = u.tape.size();
  CHECK_THROWS_WITH_AS(lstm_cell(u.x, {u.h, u.c}, three),
                       "lstm_cell: input 'w_ih' is [3, 2], but must be [4, 2] beside x [1, 2] and h [1, 1]",
                       ShapeError);
  CHECK_THROWS_AS(gru_cell(u.x, reshape(u.h, {1}), three), ShapeError);
  CHECK_THROWS_AS(gru_cell(u.x, u.h, {three.w_ih, three.w_hh, three.b_ih, {}}), ShapeError);
  CHECK_THROWS_AS(gru_cell(cast(u.x, DType::f32), u.h, three), DTypeError);
  CHECK(u.tape.size() == before + 2);  // the reshape and the cast
}
