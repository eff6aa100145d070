#include "kinks/kinks.hpp"

#include <backdrop/backdrop.hpp>

namespace backdrop {

namespace {

Tensor point(std::initializer_list<double> numbers) {
  Tensor out = Tensor::zeros({static_cast<std::int64_t>(numbers.size())}, DType::f64);
  std::copy(numbers.begin(), numbers.end(), out.mutable_data<double>().begin());
  return out;
}

Var first(Var x) { return select(x, 0, 0); }
Var second(Var x) { return select(x, 0, 1); }

// y[row] with x[column] moved by t, which is small beside all that is not 0.
double moved(const Kink& kink, double t) {
  Tape tape;
  Tensor at = kink.at;
  at.mutable_data<double>()[kink.column] += t;
  return value(kink.y(tape.constant(at))).at(kink.row);
}

}  // namespace

std::vector<Kink> kinks() {
  const auto clipped = [](Var x) { return clip(x, -1, 0.5); };
  const auto shrunk = [](Var x) { return softshrink(x, 0.5); };
  const auto sorted = [](Var x) { return sort(x).values; };
  return {
      {"abs", "x = 0", point({0}), [](Var x) { return abs(x); }},
      {"relu", "x = 0", point({0}), [](Var x) { return relu(x); }},
      {"leaky_relu", "x = 0, slope = 0.01", point({0}), [](Var x) { return leaky_relu(x); }},
      {"elu", "x = 0, alpha = 0.5", point({0}), [](Var x) { return elu(x, 0.5); }},
      {"selu", "x = 0", point({0}), [](Var x) { return selu(x); }},
      {"relu6", "x = 0", point({0}), [](Var x) { return relu6(x); }},
      {"relu6", "x = 6", point({6}), [](Var x) { return relu6(x); }},
      {"hardtanh", "x = low", point({-1}), [](Var x) { return hardtanh(x); }},
      {"hardtanh", "x = high", point({1}), [](Var x) { return hardtanh(x); }},
      {"hardsigmoid", "x = -3", point({-3}), [](Var x) { return hardsigmoid(x); }},
      {"hardsigmoid", "x = 3", point({3}), [](Var x) { return hardsigmoid(x); }},
      {"hardswish", "x = -3", point({-3}), [](Var x) { return hardswish(x); }},
      {"hardswish", "x = 3", point({3}), [](Var x) { return hardswish(x); }},
      {"softshrink", "x = -lambda", point({-0.5}), shrunk},
      {"softshrink", "x = lambda", point({0.5}), shrunk},
      {"clip", "x = low", point({-1}), clipped},
      {"clip", "x = high", point({0.5}), clipped},
      {"maximum", "a = b, in a", point({2, 2}), [](Var x) { return maximum(first(x), second(x)); }},
      {"minimum", "a = b, in a", point({2, 2}), [](Var x) { return minimum(first(x), second(x)); }},
      {"max", "two of three tie, in one", point({2, 2, 1}), [](Var x) { return max(x); }},
      {"min", "two of three tie, in one", point({1, 1, 2}), [](Var x) { return min(x); }},
      {"max_pool", "a tie, in the first", point({2, 2, 1}),
       [](Var x) {
         return reshape(max_pool1d(reshape(x, {1, 3}), {3}), {1});
       }},
      {"max_pool", "a tie, in the second", point({2, 2, 1}),
       [](Var x) {
         return reshape(max_pool1d(reshape(x, {1, 3}), {3}), {1});
       },
       0, 1},
      {"sort", "a tie: the first result, in the first", point({2, 2, 3}), sorted},
      {"sort", "a tie: the first result, in the second", point({2, 2, 3}), sorted, 0, 1},
      {"l1", "a = b, in a", point({2, 2}), [](Var x) { return l1(first(x), second(x)); }},
      {"norm", "x = 0", point({0, 0}), [](Var x) { return norm(x); }},
      {"hypot", "a = b = 0, in a", point({0, 0}), [](Var x) { return hypot(first(x), second(x)); }},
  };
}

Slopes slopes(const Kink& kink) {
  constexpr double kStep = 1. / (1 << 20);
  const double here = moved(kink, 0);
  Slopes out;
  out.below = (here - moved(kink, -kStep)) / kStep;
  out.above = (moved(kink, kStep) - here) / kStep;
  Tape tape;
  const Var x = tape.constant(kink.at), all = kink.y(x);
  const Var y = all.shape().rank() == 0 ? all : select(all, 0, static_cast<std::int64_t>(kink.row));
  Tensor unit = Tensor::zeros(kink.at.shape(), DType::f64);
  unit.mutable_data<double>()[kink.column] = 1;
  const std::vector<Tensor> v = value({grad(y, x), jvp(y, x, tape.constant(unit))});
  out.taken = v[0].at(kink.column);
  out.forward = v[1].at(0);
  return out;
}

}  // namespace backdrop
