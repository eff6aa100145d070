#include <doctest/doctest.h>

#include <algorithm>
#include <backdrop/backdrop.hpp>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "objectives/gaussian_mixture.hpp"
#include "objectives/lstm.hpp"

using namespace backdrop;
using nlohmann::json;

namespace {

Tensor tensor_of(const json& array) {
  return Tensor::from(array.at("data").get<std::vector<double>>(),
                      Shape(array.at("shape").get<std::vector<std::int64_t>>()));
}

// An objective and what its gradients are taken in, in the order of the file's gradient.
struct Problem {
  Var objective;
  std::vector<Var> parameters;
};

Problem gmm(Tape& tape, const json& file) {
  const json& inputs = file.at("inputs");
  const auto leaf = [&](const char* name) { return tape.variable(name, tensor_of(inputs.at(name))); };
  const objectives::Mixture mixture{leaf("alphas"), leaf("means"), leaf("icf")};
  const objectives::Wishart prior{file.at("wishart").at("gamma"), file.at("wishart").at("m")};
  return {objectives::log_likelihood(mixture, leaf("x"), prior),
          {mixture.alphas, mixture.means, mixture.icf}};
}

Problem lstm(Tape& tape, const json& file) {
  const json& inputs = file.at("inputs");
  const auto leaf = [&](const char* name) { return tape.variable(name, tensor_of(inputs.at(name))); };
  const objectives::Lstm model{leaf("main_params"), leaf("extra_params"), leaf("state")};
  return {objectives::next_bits_loss(model, leaf("sequence")), {model.main, model.extra}};
}

double seconds_of_a_run(const Program& program) {
  const auto start = std::chrono::steady_clock::now();
  program.run({}, {.threads = 1});
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void check_problem(const json& file, Problem (*record)(Tape&, const json&)) {
  Tape tape;
  const Problem problem = record(tape, file);
  std::vector<Var> wanted = grad(problem.objective, problem.parameters);
  wanted.insert(wanted.begin(), problem.objective);
  const Program program = compile(tape, {.outputs = wanted, .updates = {}});
  double fastest = 0;
  {
    const Outputs found = program.run({}, {.threads = 1});
    const double objective = file.at("objective"), gradient_atol = file.at("tolerance").at("gradient_atol");
    CHECK(std::abs(found[0].item() - objective) <=
          file.at("tolerance").at("objective_rtol").get<double>() * std::abs(objective));
    const auto expected = file.at("gradient").get<std::vector<double>>();
    double off = 0;
    std::size_t at = 0;
    for (std::size_t k = 1; k < found.size(); ++k) {
      REQUIRE(at + found[k].numel() <= expected.size());
      for (std::size_t e = 0; e < found[k].numel(); ++e, ++at) {
        const double difference = std::abs(found[k].at(e) - expected[at]);
        if (!(difference <= off)) off = difference;  // a NaN stays
      }
    }
    CHECK(at == expected.size());
    CHECK(off <= gradient_atol);
  }
  for (int k = 0; k < 5; ++k) {
    const double seconds = seconds_of_a_run(program);
    fastest = k == 0 ? seconds : std::min(fastest, seconds);
  }
  MESSAGE(file.at("id").get<std::string>() << ": " << fastest * 1e3 << " ms, objective and gradient");
}

// Files of the kind in $BACKDROP_ADBENCH.
void check_all(const std::string& kind, std::size_t least, Problem (*record)(Tape&, const json&)) {
  const char* folder = std::getenv("BACKDROP_ADBENCH");
  if (folder == nullptr) {
    MESSAGE("skipped: set BACKDROP_ADBENCH to a folder with the problems of ADBench as JSON");
    return;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(kind)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  CHECK(files.size() >= least);
  for (const auto& path : files) {
    CAPTURE(path.filename().string());
    std::ifstream stream(path);
    REQUIRE(stream);
    check_problem(json::parse(stream), record);
  }
}

}  // namespace

TEST_CASE("the Gaussian mixture of ADBench has the objective and gradient that ADBench's tools agree on") {
  check_all("gmm", 19, gmm);
}

TEST_CASE("the LSTM of ADBench has the objective and gradient that ADBench's tools agree on") {
  check_all("lstm", 4, lstm);
}
