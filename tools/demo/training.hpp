#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "demo/dataset.hpp"
#include "demo/network.hpp"

namespace backdrop::demo {

struct TrainingOptions {
  std::int64_t hidden = 256;
  std::int64_t batch = 128;
  int epochs = 10;
  double p = 0;  ///< probability of dropping a hidden unit
  double learning_rate = 1e-3;
  bool cosine_decay = false;  ///< from learning_rate to 0 along half a cosine; constant otherwise
  int evaluate_every = 1;     ///< epochs between evaluations; the last one is always evaluated
  std::uint64_t seed = 0;     ///< of the weights, the masks and the order of the examples
  int threads = 0;            ///< 0 = one per processor; results do not depend on it
};

/// What is known after an epoch.
struct Epoch {
  int number = 0;                                ///< from 1
  double learning_rate = 0;                      ///< of its last step
  double loss = 0;                               ///< mean over its steps, with dropout
  double train_accuracy = 0, test_accuracy = 0;  ///< without dropout
};

struct Trained {
  Network network;
  TrainingStep step;
  std::vector<Epoch> epochs;                   ///< those that were evaluated
  std::vector<std::int64_t> test_predictions;  ///< of the final network

  const Epoch& last() const { return epochs.back(); }
};

/// Trains a fresh network. Each epoch takes the examples in an order drawn from the seed, in batches of which
/// the last is filled up from the front of that order. `after_epoch` hears of each epoch; of an epoch that
/// was not evaluated, accuracies are NaN.
Trained train(const Examples& training, const Examples& test, std::int64_t classes,
              const TrainingOptions& options, const std::function<void(const Epoch&)>& after_epoch = {});

}  // namespace backdrop::demo
