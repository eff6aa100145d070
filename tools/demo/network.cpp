#include "demo/network.hpp"

#include <backdrop/graph/gradient.hpp>
#include <backdrop/graph/optimizer.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <backdrop/ops/ops.hpp>
#include <cmath>

namespace backdrop::demo {

namespace {

Var logits_of(Var images, const std::vector<Var>& parameters, double p, Key key) {
  Tape& tape = images.tape();
  Var units;
  {
    const auto scope = tape.scope("hidden");
    units = dropout(relu(matmul(images, parameters[0]) + parameters[1]), p, key);
  }
  const auto scope = tape.scope("output");
  return matmul(units, parameters[2]) + parameters[3];
}

}  // namespace

Network make_network(const NetworkSizes& sizes, Keys& keys) {
  const double bound = std::sqrt(6.0 / static_cast<double>(sizes.features));
  const Tensor hidden = uniform(Shape{sizes.features, sizes.hidden}, -bound, bound, keys.next());
  const Tensor output = glorot_uniform(Shape{sizes.hidden, sizes.classes}, keys.next());
  return {Variable("hidden.weight", hidden), Variable("hidden.bias", Tensor::zeros(Shape{sizes.hidden})),
          Variable("output.weight", output), Variable("output.bias", Tensor::zeros(Shape{sizes.classes}))};
}

TrainingStep record_training_step(const Network& network, std::int64_t batch, double p, Key key) {
  TrainingStep step;
  step.tape = std::make_unique<Tape>();
  Tape& tape = *step.tape;
  step.images = tape.input("images", Shape{batch, network.hidden_weight.shape()[0]});
  step.labels = tape.input("labels", Shape{batch}, DType::i64);
  step.learning_rate = tape.input("learning_rate", Shape{});
  std::vector<Var> parameters;
  for (const Variable& variable : network.variables()) parameters.push_back(tape.variable(variable));
  step.logits = logits_of(step.images, parameters, p, key);
  step.loss = cross_entropy(step.logits, step.labels);
  step.updates = adam(parameters, grad(step.loss, parameters), step.learning_rate);
  tape.set_name(step.logits, "logits");
  tape.set_name(step.loss, "loss");
  for (const Update& update : step.updates) tape.set_name(update.next, update.variable.name() + ".next");
  return step;
}

Program compile_prediction(const TrainingStep& step) {
  const Rewrite inference = without_dropout(*step.tape);
  const Var logits = inference(step.logits);
  return compile(inference.tape(), {.outputs = {argmax(logits, -1)}, .updates = {}});
}

}  // namespace backdrop::demo
