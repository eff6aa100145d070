#include "demo/training.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>

namespace backdrop::demo {

namespace {

// The places in `order` that batch number k takes; beyond the end it starts again at the front.
std::vector<std::int64_t> batch_places(std::span<const std::int64_t> order, std::size_t k,
                                       std::int64_t batch) {
  const auto size = static_cast<std::size_t>(batch);
  std::vector<std::int64_t> places(size);
  for (std::size_t i = 0; i < size; ++i) places[i] = order[(k * size + i) % order.size()];
  return places;
}

std::size_t batches_of(const Examples& examples, std::int64_t batch) {
  return static_cast<std::size_t>((examples.count() + batch - 1) / batch);
}

double learning_rate_at(const TrainingOptions& options, std::size_t step, std::size_t steps) {
  if (!options.cosine_decay) return options.learning_rate;
  const double done = static_cast<double>(step) / static_cast<double>(steps);
  return options.learning_rate * (1 + std::cos(std::numbers::pi * done)) / 2;
}

std::vector<std::int64_t> predict(const Program& prediction, const Examples& examples,
                                  const TrainingOptions& options) {
  const Tensor order = Tensor::arange(examples.count());
  const auto count = static_cast<std::size_t>(examples.count());
  std::vector<std::int64_t> classes;
  for (std::size_t k = 0; k < batches_of(examples, options.batch); ++k) {
    const auto places = batch_places(order.data<std::int64_t>(), k, options.batch);
    const Outputs outputs =
        prediction.run({{"images", examples.at(places).images}}, {.step = {}, .threads = options.threads});
    const auto found = outputs[0].data<std::int64_t>();
    classes.insert(classes.end(), found.begin(), found.end());
  }
  classes.resize(count);  // without what filled up the last batch
  return classes;
}

double accuracy(std::span<const std::int64_t> predictions, const Examples& examples) {
  const auto labels = examples.labels.data<std::int64_t>();
  std::size_t right = 0;
  for (std::size_t k = 0; k < labels.size(); ++k) right += predictions[k] == labels[k] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

}  // namespace

Trained train(const Examples& training, const Examples& test, std::int64_t classes,
              const TrainingOptions& options, const std::function<void(const Epoch&)>& after_epoch) {
  Keys keys(options.seed);
  const Network network = make_network({training.features(), options.hidden, classes}, keys);
  Trained trained{network, record_training_step(network, options.batch, options.p, keys.next()), {}, {}};
  const TrainingStep& step = trained.step;
  const Program update = compile(*step.tape, {.outputs = {step.loss}, .updates = step.updates});
  const Program prediction = compile_prediction(step);

  const Key shuffling = keys.next();
  std::vector<std::int64_t> order(static_cast<std::size_t>(training.count()));
  const std::size_t batches = batches_of(training, options.batch);
  const std::size_t steps = batches * static_cast<std::size_t>(options.epochs);
  std::size_t done = 0;
  for (int number = 1; number <= options.epochs; ++number) {
    fill_permutation(order, shuffling, static_cast<std::uint32_t>(number));
    Epoch epoch{.number = number};
    for (std::size_t k = 0; k < batches; ++k, ++done) {
      const Examples batch = training.at(batch_places(order, k, options.batch));
      epoch.learning_rate = learning_rate_at(options, done, steps);
      const Outputs outputs =
          update.run({{"images", batch.images},
                      {"labels", batch.labels},
                      {"learning_rate", Tensor::scalar(epoch.learning_rate)}},
                     {.step = static_cast<std::uint32_t>(done), .threads = options.threads});
      epoch.loss += outputs[0].item() / static_cast<double>(batches);
    }
    const bool last = number == options.epochs;
    if (last || number % options.evaluate_every == 0) {
      epoch.train_accuracy = accuracy(predict(prediction, training, options), training);
      trained.test_predictions = predict(prediction, test, options);
      epoch.test_accuracy = accuracy(trained.test_predictions, test);
      trained.epochs.push_back(epoch);
    } else {
      epoch.train_accuracy = epoch.test_accuracy = std::numeric_limits<double>::quiet_NaN();
    }
    if (after_epoch) after_epoch(epoch);
  }
  return trained;
}

}  // namespace backdrop::demo
