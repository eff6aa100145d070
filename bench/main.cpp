// backdrop-bench: what backdrop costs beside memcpy, beside code written by hand, and beside libtorch.

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <backdrop/core/error.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "environment.hpp"
#include "large_pages.hpp"
#include "measure.hpp"
#include "peak_memory.hpp"
#include "peer.hpp"
#include "result.hpp"
#include "row.hpp"

namespace backdrop::bench {

namespace {

struct Options {
  std::string only;
  bool quick = false, list = false;
  std::filesystem::path out = "build/bench/results.json";
  std::string markdown;
  std::string peak;
};

std::filesystem::path own_program() { return std::filesystem::read_symlink("/proc/self/exe"); }

std::filesystem::path libtorch_program() { return own_program().parent_path() / "backdrop-bench-libtorch"; }

// Threads that spin for work sleep after this long. OpenBLAS's, in libtorch, are the most patient.
constexpr double kPause = 0.05;

double factor(const std::string& unit) {  // of a second
  return unit.starts_with("ns") ? 1e9 : unit.starts_with("us") ? 1e6 : 1e3;
}

double peak_of(const std::filesystem::path& program, const std::string& row) {
  const std::string command = fmt::format("'{}' --peak '{}'", program.string(), row);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output(popen(command.c_str(), "r"), pclose);
  double mebibytes = 0;
  if (output == nullptr || std::fscanf(output.get(), "%lf", &mebibytes) != 1) {
    throw Error("cannot measure: " + command);
  }
  return mebibytes;
}

Result measure(const Row& row, Peer* libtorch, const Budget& budget) {
  std::vector<Sampler> samplers{row.backdrop()};
  Result result{.name = row.name, .threads = row.threads, .unit = row.unit};
  std::vector<std::optional<Result::Peer>*> peers;
  const auto add = [&](std::optional<Result::Peer>& peer, Sampler sampler) {
    peers.push_back(&peer);
    samplers.push_back(std::move(sampler));
  };
  if (row.memcpy) add(result.memcpy, row.memcpy());
  if (row.hand) add(result.hand, row.hand());
  if (libtorch != nullptr) {
    if (auto sampler = libtorch->sampler_of(row.name, row.threads)) add(result.libtorch, *sampler);
  }
  const double scale = factor(row.unit) / row.things;
  const std::vector<Measured> found = interleave(samplers, budget, row.threads > 1 ? kPause : 0);
  result.backdrop = found[0].seconds * scale;
  for (std::size_t k = 0; k < peers.size(); ++k) {
    *peers[k] = {found[k + 1].seconds * scale, found[k + 1].ratio};
  }
  if (row.bytes_saved_per_element) result.bytes_saved_per_element = row.bytes_saved_per_element();
  if (row.peak_memory) result.peak_mib = peak_of(own_program(), row.name);
  if (row.peak_memory && result.libtorch) result.libtorch_peak_mib = peak_of(libtorch_program(), row.name);
  return result;
}

std::unique_ptr<Peer> start_libtorch() {
  std::string reason = "it was not built";
  if (std::filesystem::exists(libtorch_program())) {
    try {
      auto peer = std::make_unique<Peer>(libtorch_program());
      peer->version();
      return peer;
    } catch (const std::exception& error) {
      reason = error.what();
    }
  }
  fmt::print("the column of libtorch is left out: {}\n", reason);
  return nullptr;
}

void measure_all(const Options& options) {
  use_large_pages();
  const std::unique_ptr<Peer> libtorch = start_libtorch();
  if (load() > 0.5)
    fmt::print("the load is {:.1f}: others are busy, and the figures will be rough\n", load());
  const Budget budget = options.quick ? Budget{.seconds = 0.1, .least_rounds = 3} : Budget{};
  std::vector<Result> results;
  fmt::print("{}\n", heading());
  for (const Row& row : all_rows()) {
    if (row.name.find(options.only) == std::string::npos) continue;
    results.push_back(measure(row, libtorch.get(), budget));
    fmt::print("{}\n", line_of(results.back()));
    std::fflush(stdout);
  }
  save_json(options.out, results);
  fmt::print("\n{}\n", options.out.string());
  if (options.markdown.empty()) return;
  Facts facts = environment();
  facts.emplace_back("libtorch", libtorch ? libtorch->version() + ", Debian's" : "not there");
  save_markdown(options.markdown, facts, results);
}

void print_peak(const std::string& name) {
  for (const Row& row : all_rows()) {
    if (row.name != name || !row.peak_memory) continue;
    Row warm = all_rows().front();
    warm.backdrop()();
    fmt::print("{}\n", peak_mebibytes([&] {
                 const Sampler sample = row.backdrop();
                 for (int k = 0; k < 20; ++k) sample();
               }));
    return;
  }
  throw Error("no such row: " + name);
}

void list_rows() {
  for (const Row& row : all_rows()) fmt::print("{}{}\n", row.name, row.threads > 1 ? " (2 threads)" : "");
}

}  // namespace

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  add_dropout(rows);
  add_mlp_steps(rows);
  add_tiny_ops(rows);
  add_mlp_steps_of_two_threads(rows);
  add_chain(rows);
  add_row_wise(rows);
  add_layers(rows);
  add_adbench(rows);
  add_gradchecks(rows);
  add_growth_by_nodes(rows);
  add_growth_by_elements(rows);
  return rows;
}

}  // namespace backdrop::bench

int main(int argc, char** argv) {
  using namespace backdrop::bench;
  Options options;
  CLI::App app("Measures backdrop beside memcpy, code written by hand, and libtorch.");
  app.add_option("--only", options.only, "only rows whose name contains this text");
  app.add_flag("--quick", options.quick, "few rounds: rough figures");
  app.add_flag("--list", options.list, "print the names of the rows");
  app.add_option("--out", options.out, "where the results go")->capture_default_str();
  app.add_option("--markdown", options.markdown, "also write the table to this file");
  app.add_option("--peak", options.peak, "print the MiB by which the work of a row drives up memory");
  CLI11_PARSE(app, argc, argv);
  try {
    if (options.list) {
      list_rows();
    } else if (!options.peak.empty()) {
      print_peak(options.peak);
    } else {
      measure_all(options);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "backdrop-bench: {}\n", error.what());
    return 1;
  }
}
