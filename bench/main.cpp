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
#include "measure_row.hpp"
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
  const double others = load();
  if (others > 0.5)
    fmt::print("the load is {:.1f}: others are busy, and the figures will be rough\n", others);
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
  facts.emplace_back("load before", fmt::format("{:.1f}", others));
  save_markdown(options.markdown, facts, results);
}

void print_peak(const std::string& name) {
  for (const Row& row : all_rows()) {
    if (row.name == name && row.peak_memory) return fmt::print("{}\n", peak_mebibytes_of(row));
  }
  throw Error("no row with a peak of memory: " + name);
}

void list_rows() {
  for (const Row& row : all_rows()) fmt::print("{}{}\n", row.name, row.threads > 1 ? " (2 threads)" : "");
}

}  // namespace

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
