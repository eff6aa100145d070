#include <backdrop/backdrop.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "hand/mlp.hpp"
#include "networks.hpp"
#include "numbers.hpp"
#include "row.hpp"
#include "rows/contenders.hpp"

namespace backdrop::bench {

namespace {

constexpr std::uint64_t kSeed = 42;

struct Batch {
  std::vector<float> inputs;
  std::vector<std::int64_t> classes;
};

Batch batch_for(const Network& network) {
  const auto rows = static_cast<std::size_t>(network.batch);
  return {numbers<float>(rows * static_cast<std::size_t>(network.widths.front()), 0, 1),
          labels(rows, network.widths.back())};
}

// Of layer k, [in, out], as PyTorch draws them.
std::vector<float> weight(const Network& network, std::size_t k) {
  const std::int64_t in = network.widths[k], out = network.widths[k + 1];
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  return numbers<float>(static_cast<std::size_t>(in * out), -bound, bound, k + 1);
}

struct Training {
  Program program;
  std::vector<Feed> feeds;
};

Training training(const Network& network) {
  Tape tape;
  const std::int64_t rows = network.batch;
  const Var inputs = tape.input("inputs", {rows, network.widths.front()});
  const Var classes = tape.input("classes", {rows}, DType::i64);
  std::vector<Var> parameters;
  Var x = inputs;
  const std::size_t layers = network.widths.size() - 1;
  for (std::size_t k = 0; k < layers; ++k) {
    const std::int64_t in = network.widths[k], out = network.widths[k + 1];
    const std::string number = std::to_string(k);
    const Var w = tape.variable("w" + number, Tensor::from(weight(network, k), {in, out}));
    const Var b = tape.variable("b" + number, Tensor::zeros({out}));
    parameters.insert(parameters.end(), {w, b});
    x = matmul(x, w) + b;
    if (k + 1 < layers) x = dropout(relu(x), Network::kP, Key{kSeed, static_cast<std::uint32_t>(k)});
  }
  const Var loss = cross_entropy(x, classes);
  const Var rate = tape.constant(Tensor::scalar(Network::kLearningRate));
  const auto updates = sgd(parameters, grad(loss, parameters), rate);
  const Batch batch = batch_for(network);
  return {compile(tape, {.outputs = {loss}, .updates = updates}),
          {{"inputs", Tensor::from(batch.inputs, {rows, network.widths.front()})},
           {"classes", Tensor::from(batch.classes, {rows})}}};
}

// The step by hand draws the same masks from the same weights, so that the losses must be the same, too.
void check_same(const Network& network, hand::Mlp& mlp, const Batch& batch) {
  const Training ours = training(network);
  for (std::uint32_t step = 0; step < 3; ++step) {
    const float by_hand = mlp.step(batch.inputs.data(), batch.classes.data(), step);
    const double loss = ours.program.run(ours.feeds, {.step = step, .threads = 1})[0].item();
    if (!(std::abs(loss - by_hand) < 1e-4)) {
      throw std::logic_error(network.row() + ": the loss is " + std::to_string(loss) + ", by hand " +
                             std::to_string(by_hand));
    }
  }
}

Sampler step_by_hand(const Network& network) {
  const auto mlp = std::make_shared<hand::Mlp>(network.widths, network.batch,
                                               static_cast<float>(Network::kLearningRate), kSeed);
  for (std::size_t k = 0; k + 1 < network.widths.size(); ++k) {
    const std::vector<float> start = weight(network, k);
    std::copy(start.begin(), start.end(), mlp->weight(k).begin());
  }
  Batch batch = batch_for(network);
  check_same(network, *mlp, batch);
  return sampler([mlp, batch = std::move(batch), step = 0U]() mutable {
    mlp->step(batch.inputs.data(), batch.classes.data(), step++);
  });
}

Row row(const Network& network, int threads) {
  return {.name = network.row(),
          .unit = "us/step",
          .backdrop =
              [=] {
                Training ours = training(network);
                return run_sampler(std::move(ours.program), std::move(ours.feeds), threads);
              },
          .threads = threads};
}

}  // namespace

void add_mlp_steps(std::vector<Row>& rows) {
  for (const Network& network : networks()) {
    rows.push_back(row(network, 1));
    rows.back().hand = [=] { return step_by_hand(network); };
    rows.back().peak_memory = network.widths.size() > 3;
  }
}

void add_mlp_steps_of_two_threads(std::vector<Row>& rows) {
  for (const Network& network : networks()) rows.push_back(row(network, 2));
}

}  // namespace backdrop::bench
