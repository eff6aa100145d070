#include "demo/artefacts.hpp"

#include <fmt/core.h>

#include <backdrop/core/error.hpp>
#include <backdrop/graph/dot.hpp>
#include <backdrop/graph/json.hpp>
#include <backdrop/graph/safetensors.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

namespace backdrop::demo {

namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file)
    throw ValueError(
        fmt::format("{}: cannot be written; is there room, and the right to write?", path.string()));
}

}  // namespace

void save_network(const std::filesystem::path& directory, const Trained& trained) {
  save_json(directory / "graph.json", *trained.step.tape);
  save_dot(directory / "graph.dot", *trained.step.tape);
  save_safetensors(directory / "weights.safetensors", trained.network.variables());
}

void save_metrics(const std::filesystem::path& path, std::span<const Run> runs) {
  std::string text = "run,p,seed,epoch,learning_rate,loss,train_accuracy,test_accuracy\n";
  for (const Run& run : runs) {
    for (const Epoch& epoch : run.epochs) {
      text += fmt::format("{},{},{},{},{},{},{},{}\n", run.name, run.p, run.seed, epoch.number,
                          epoch.learning_rate, epoch.loss, epoch.train_accuracy, epoch.test_accuracy);
    }
  }
  write(path, text);
}

void save_predictions(const std::filesystem::path& path, const Examples& examples,
                      std::span<const std::int64_t> predictions) {
  std::string text = "index,label,prediction\n";
  const auto labels = examples.labels.data<std::int64_t>();
  for (std::size_t k = 0; k < predictions.size(); ++k)
    text += fmt::format("{},{},{}\n", k, labels[k], predictions[k]);
  write(path, text);
}

void save_report(const std::filesystem::path& path, const Summary& summary) {
  const nlohmann::ordered_json report = {
      {"test_accuracy", summary.test_accuracy},
      {"small_without_dropout", summary.small_without_dropout},
      {"small_with_dropout", summary.small_with_dropout},
      {"taylor_rate_correct_mask", summary.answer.taylor_rate_correct_mask},
      {"taylor_rate_binary_mask", summary.answer.taylor_rate_binary_mask},
      {"fused_equals_composed", summary.answer.fused_equals_composed},
      {"gradcheck_passed", summary.answer.gradcheck_passed},
      {"seed", summary.seed},
      {"seconds", summary.seconds},
  };
  write(path, report.dump(2) + "\n");
}

}  // namespace backdrop::demo
