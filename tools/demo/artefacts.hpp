#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "demo/question.hpp"
#include "demo/training.hpp"

/// The files that the demo leaves behind. Each throws ValueError when it cannot be written.
namespace backdrop::demo {

/// The training step with all bodies (graph.json, graph.dot) and the final weights (weights.safetensors).
void save_network(const std::filesystem::path& directory, const Trained& trained);

/// A training, named for its rows in metrics.csv.
struct Run {
  std::string name;
  double p = 0;
  std::uint64_t seed = 0;
  std::vector<Epoch> epochs;
};
void save_metrics(const std::filesystem::path& path, std::span<const Run> runs);

/// Lines "index,label,prediction".
void save_predictions(const std::filesystem::path& path, const Examples& examples,
                      std::span<const std::int64_t> predictions);

struct Summary {
  Answer answer;
  double test_accuracy = 0;          ///< of the full set's final network
  double small_without_dropout = 0;  ///< mean test accuracy over the seeds
  double small_with_dropout = 0;
  std::uint64_t seed = 0;
  double seconds = 0;
};
void save_report(const std::filesystem::path& path, const Summary& summary);

}  // namespace backdrop::demo
