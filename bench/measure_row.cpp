#include "measure_row.hpp"

#include <fmt/core.h>

#include <backdrop/backdrop.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "peak_memory.hpp"

namespace backdrop::bench {

namespace {

// Threads that spin for work sleep after this long. OpenBLAS's, in libtorch, are the most patient.
constexpr double kPause = 0.05;

double factor(const std::string& unit) {  // of a second
  return unit.starts_with("ns") ? 1e9 : unit.starts_with("us") ? 1e6 : 1e3;
}

double peak_told_by(const std::filesystem::path& program, const std::string& row) {
  const std::string command = fmt::format("'{}' --peak '{}'", program.string(), row);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> output(popen(command.c_str(), "r"), pclose);
  double mebibytes = 0;
  if (output == nullptr || std::fscanf(output.get(), "%lf", &mebibytes) != 1) {
    throw Error("cannot measure: " + command);
  }
  return mebibytes;
}

std::filesystem::path own_program() { return std::filesystem::read_symlink("/proc/self/exe"); }

}  // namespace

std::filesystem::path libtorch_program() { return own_program().parent_path() / "backdrop-bench-libtorch"; }

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
  if (row.peak_memory) result.peak_mib = peak_told_by(own_program(), row.name);
  if (row.peak_memory && result.libtorch)
    result.libtorch_peak_mib = peak_told_by(libtorch_program(), row.name);
  return result;
}

double peak_mebibytes_of(const Row& row) {
  // Libraries and their tables are loaded, and their code for a kind of product is made, at the first use: no
  // part of what the row needs.
  Tape tape;
  const Var w = tape.constant(Tensor::ones({128, 128})), v = tape.constant(Tensor::ones({1, 128}));
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) value(matmul(w, w, {ta, tb}), {.threads = 1});
  }
  value(matmul(v, w), {.threads = 1});
  value(matmul(v, v, {.transpose_a = true}), {.threads = 1});
  return peak_mebibytes([&] {
    const Sampler sample = row.backdrop();
    for (int k = 0; k < 20; ++k) sample();
  });
}

}  // namespace backdrop::bench
