// Trains a network with dropout on points it draws itself, takes dropout out, and counts what it gets right.

#include <backdrop/backdrop.hpp>
#include <utility>
#include <vector>

namespace bd = backdrop;

// Points in a square, f64 [n, 2]; of class 1 within a circle that covers about half of it, else of class 0.
struct Points {
  bd::Tensor places, classes;
};

Points draw(std::int64_t n, bd::Key key) {
  bd::Tape tape;
  const bd::Var x = tape.constant(bd::uniform({n, 2}, -1, 1, key, bd::DType::f64));
  const bd::Var inside = bd::less(bd::sum(bd::square(x), {1}), 0.64);
  return {bd::value(x), bd::value(bd::cast(inside, bd::DType::i64))};
}

double accuracy(const bd::Tensor& predictions, const bd::Tensor& classes) {
  double right = 0;
  for (std::size_t k = 0; k < classes.numel(); ++k) right += predictions.at(k) == classes.at(k) ? 1 : 0;
  return right / static_cast<double>(classes.numel());
}

int main() {
  constexpr std::int64_t kPoints = 512, kHidden = 32;
  bd::Keys keys(42);
  const Points training = draw(kPoints, keys.next());
  const Points unseen = draw(kPoints, keys.next());

  bd::Tape tape;
  const bd::Var x = tape.input("x", {kPoints, 2}, bd::DType::f64);
  const bd::Var classes = tape.input("classes", {kPoints}, bd::DType::i64);
  const bd::Var rate = tape.input("rate", {}, bd::DType::f64);
  const bd::Var w1 = tape.variable("w1", bd::glorot_uniform({2, kHidden}, keys.next(), bd::DType::f64));
  const bd::Var b1 = tape.variable("b1", bd::Tensor::zeros({kHidden}, bd::DType::f64));
  const bd::Var w2 = tape.variable("w2", bd::glorot_uniform({kHidden, 2}, keys.next(), bd::DType::f64));
  const bd::Var b2 = tape.variable("b2", bd::Tensor::zeros({2}, bd::DType::f64));

  const bd::Var hidden = bd::dropout(bd::relu(bd::matmul(x, w1) + b1), 0.2, keys.next());
  const bd::Var logits = bd::matmul(hidden, w2) + b2;
  const bd::Var loss = bd::cross_entropy(logits, classes);
  const std::vector<bd::Var> parameters{w1, b1, w2, b2};
  const auto updates = bd::adam(parameters, bd::grad(loss, parameters), rate);
  const bd::Program train = bd::compile(tape, {.outputs = {loss}, .updates = updates});

  constexpr std::uint32_t kSteps = 300;
  for (std::uint32_t step = 0; step < kSteps; ++step) {
    const double now = 0.03 * (1 - static_cast<double>(step) / kSteps);
    const bd::Outputs outputs = train.run({{"x", training.places},
                                           {"classes", training.classes},
                                           {"rate", bd::Tensor::scalar(now, bd::DType::f64)}},
                                          {.step = step});
    if (step % 100 == 0) fmt::print("step {:3}: loss {:.2f}\n", step, outputs[0].item());
  }

  // Inference is a rewrite of the recording: no mask, and nothing is scaled.
  bd::Rewrite inference = bd::without_dropout(tape);
  const bd::Program predict =
      bd::compile(inference.tape(), {.outputs = {bd::argmax(inference(logits), -1)}, .updates = {}});
  for (const auto& [name, points] : {std::pair{"seen", training}, std::pair{"new", unseen}}) {
    const bd::Outputs outputs = predict.run({{"x", points.places}});
    fmt::print("{:4} points: {:.0f} % right\n", name, 100 * accuracy(outputs[0], points.classes));
  }
}
