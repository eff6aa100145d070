#include "demo/training.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "demo/spirals.hpp"

using namespace backdrop;
using namespace backdrop::demo;

namespace {

bool same_weights(const Trained& a, const Trained& b) {
  const auto left = a.network.variables(), right = b.network.variables();
  for (std::size_t k = 0; k < left.size(); ++k) {
    if (!left[k].value().same_bits(right[k].value())) return false;
  }
  return true;
}

// As wide as the images of the demo, so that its kernels cut their work into pieces.
Examples wide_examples(std::int64_t count) {
  Examples examples{Tensor::uninitialized(Shape{count, 784}, DType::f32),
                    Tensor::uninitialized(Shape{count}, DType::i64)};
  const auto pixels = examples.images.mutable_data<float>();
  for (std::size_t k = 0; k < pixels.size(); ++k) {
    pixels[k] = static_cast<float>(random_block(Key{9, 9}, 0, k)[0]) * 0x1p-32F;
  }
  const auto labels = examples.labels.mutable_data<std::int64_t>();
  for (std::size_t k = 0; k < labels.size(); ++k) labels[k] = static_cast<std::int64_t>(k % 10);
  return examples;
}

}  // namespace

TEST_CASE("a network trained by 1 thread and by 3 has the same bits") {
  const Examples examples = wide_examples(300);
  TrainingOptions options{.hidden = 256, .batch = 128, .epochs = 2, .p = 0.3, .seed = 5, .threads = 1};
  const Trained one = train(examples, examples, 10, options);
  options.threads = 3;
  const Trained three = train(examples, examples, 10, options);
  CHECK(same_weights(one, three));
  CHECK(one.last().loss == three.last().loss);
  CHECK(one.test_predictions == three.test_predictions);
}

TEST_CASE("the seed decides weights, masks and order; another seed gives another network") {
  const Dataset data = two_spirals(100, 50, 0.05, Key{1, 0});
  TrainingOptions options{.hidden = 16, .batch = 32, .epochs = 3, .p = 0.5, .seed = 1, .threads = 1};
  const Trained first_run = train(data.train, data.test, 2, options);
  CHECK(same_weights(first_run, train(data.train, data.test, 2, options)));
  options.seed = 2;
  CHECK_FALSE(same_weights(first_run, train(data.train, data.test, 2, options)));
}

TEST_CASE("two spirals are learned") {
  const Dataset data = two_spirals(1000, 500, 0.02, Key{1, 0});
  const TrainingOptions options{
      .hidden = 128, .batch = 128, .epochs = 120, .learning_rate = 1e-2, .cosine_decay = true, .seed = 1};
  const Trained trained = train(data.train, data.test, 2, options);
  CHECK(trained.last().train_accuracy > 0.95);
  CHECK(trained.last().test_accuracy > 0.95);
}

TEST_CASE("the learning rate falls along half a cosine, or stays") {
  const Dataset data = two_spirals(64, 16, 0.05, Key{1, 0});
  TrainingOptions options{.hidden = 4, .batch = 32, .epochs = 2, .learning_rate = 0.5, .cosine_decay = true};
  CHECK(train(data.train, data.test, 2, options).last().learning_rate ==
        doctest::Approx(0.5 * (1 + std::cos(std::acos(-1) * 3 / 4)) /
                        2));  // 4 steps, of which number 3 is the last
  options.cosine_decay = false;
  CHECK(train(data.train, data.test, 2, options).last().learning_rate == 0.5);
}

TEST_CASE("every epoch is told, those that are due and the last one are evaluated") {
  const Dataset data = two_spirals(40, 10, 0.05, Key{1, 0});
  const TrainingOptions options{.hidden = 4, .batch = 16, .epochs = 5, .evaluate_every = 2};
  std::vector<int> told;
  const Trained trained = train(data.train, data.test, 2, options, [&](const Epoch& epoch) {
    told.push_back(epoch.number);
    CHECK(std::isnan(epoch.test_accuracy) == (epoch.number % 2 == 1 && epoch.number != 5));
  });
  CHECK(told == std::vector<int>{1, 2, 3, 4, 5});
  std::vector<int> evaluated;
  for (const Epoch& epoch : trained.epochs) evaluated.push_back(epoch.number);
  CHECK(evaluated == std::vector<int>{2, 4, 5});
  CHECK(trained.test_predictions.size() == 10);  // fewer than a batch
}

TEST_CASE("dropping every hidden unit leaves the hidden layer as it was, exactly") {
  const Dataset data = two_spirals(64, 16, 0.05, Key{1, 0});
  const TrainingOptions options{.hidden = 8, .batch = 32, .epochs = 2, .p = 1, .seed = 4};
  Keys keys(options.seed);
  const Network fresh = make_network({2, 8, 2}, keys);
  const Trained trained = train(data.train, data.test, 2, options);
  CHECK(trained.network.hidden_weight.value().same_bits(fresh.hidden_weight.value()));
  CHECK_FALSE(trained.network.output_bias.value().same_bits(fresh.output_bias.value()));
}

TEST_CASE("predictions come from the whole network, with nothing dropped and nothing scaled") {
  const Dataset data = two_spirals(128, 40, 0.05, Key{1, 0});
  const TrainingOptions options{
      .hidden = 16, .batch = 32, .epochs = 3, .p = 0.5, .learning_rate = 0.05, .seed = 2};
  const Trained trained = train(data.train, data.test, 2, options);
  const Tensor w1 = trained.network.hidden_weight.value(), b1 = trained.network.hidden_bias.value();
  const Tensor w2 = trained.network.output_weight.value(), b2 = trained.network.output_bias.value();
  double right = 0;
  for (std::size_t n = 0; n < 40; ++n) {
    double logits[2] = {b2.at(0), b2.at(1)};
    for (std::size_t h = 0; h < 16; ++h) {
      const double sum =
          data.test.images.at(2 * n) * w1.at(h) + data.test.images.at(2 * n + 1) * w1.at(16 + h) + b1.at(h);
      for (std::size_t c = 0; c < 2; ++c) logits[c] += std::max(sum, 0.0) * w2.at(2 * h + c);
    }
    const std::int64_t predicted = logits[1] > logits[0] ? 1 : 0;
    CHECK(trained.test_predictions[n] == predicted);
    right += static_cast<double>(predicted) == data.test.labels.at(n) ? 1 : 0;
  }
  CHECK(trained.last().test_accuracy == right / 40);
}

TEST_CASE("a training step is random, so its masks differ from step to step") {
  Keys keys(3);
  const Network network = make_network({2, 64, 2}, keys);
  const TrainingStep step = record_training_step(network, 8, 0.5, keys.next());
  const Program loss = compile(*step.tape, {.outputs = {step.loss}, .updates = {}});
  const Dataset data = two_spirals(8, 8, 0.05, Key{1, 0});
  const auto at = [&](std::uint32_t k) {
    return loss.run({{"images", data.train.images}, {"labels", data.train.labels}}, {.step = k})[0].item();
  };
  CHECK(at(0) == at(0));
  CHECK(at(0) != at(1));
}
