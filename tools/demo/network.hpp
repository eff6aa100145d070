#pragma once

#include <backdrop/core/random.hpp>
#include <backdrop/core/tape.hpp>
#include <backdrop/graph/program.hpp>
#include <memory>
#include <vector>

namespace backdrop::demo {

/// A perceptron with one hidden layer: logits = dropout(relu(x w1 + b1)) w2 + b2.
struct Network {
  Variable hidden_weight, hidden_bias, output_weight, output_bias;

  std::vector<Variable> variables() const { return {hidden_weight, hidden_bias, output_weight, output_bias}; }
};

struct NetworkSizes {
  std::int64_t features = 0, hidden = 0, classes = 0;
};

/// Biases 0; weights uniform in [-r, r] with r = sqrt(6 / features) below the relu (He et al.,
/// arXiv:1502.01852) and r = sqrt(6 / (hidden + classes)) above it (Glorot and Bengio, AISTATS 2010).
Network make_network(const NetworkSizes& sizes, Keys& keys);

/// One step of training, recorded: images f32 [batch, features] and labels i64 [batch] -> the mean
/// cross-entropy, its gradients, and Adam's next values, with the learning rate an input.
struct TrainingStep {
  std::unique_ptr<Tape> tape;
  Var images, labels, learning_rate;
  Var logits, loss;
  std::vector<Update> updates;
};
/// p is the probability of dropping a hidden unit; the masks come from `key` and the step of the run.
TrainingStep record_training_step(const Network& network, std::int64_t batch, double p, Key key);

/// images -> the class with the largest logit, i64 [batch]: the same recording without dropout. Nothing is
/// scaled.
Program compile_prediction(const TrainingStep& step);

}  // namespace backdrop::demo
