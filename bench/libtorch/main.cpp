// backdrop-bench-libtorch: libtorch's part of backdrop-bench, which starts it. It answers requests, one a
// line:
//
//   version                the version of libtorch
//   prepare THREADS ROW    "ready", or "unknown" if it has no such row
//   sample                 the seconds that one call of the row's work takes now, after one untimed
//
// backdrop-bench-libtorch --peak ROW: by how many MiB the work drives up the memory of the process.

#include <cblas.h>
#include <torch/torch.h>
#include <torch/version.h>

#include <iomanip>
#include <iostream>
#include <limits>
#include <sstream>
#include <string>

#include "libtorch/rows.hpp"
#include "measure.hpp"
#include "peak_memory.hpp"

namespace {

using namespace backdrop::bench;

void use_threads(int threads) {
  at::set_num_threads(threads);
  openblas_set_num_threads(threads);  // which Debian's libtorch calls without a word about threads
}

// Libraries and their tables are loaded at the first use.
void warm_up() {
  const torch::Tensor w = torch::randn({64, 64}).set_requires_grad(true);
  torch::mm(w, w).sum().backward();
}

int print_peak(const std::string& row) {
  use_threads(1);
  warm_up();
  const TorchRows rows = torch_rows();
  const auto prepare = rows.at(row);
  std::cout << peak_mebibytes([&] {
    const auto work = prepare();
    for (int k = 0; k < 20; ++k) work();
  }) << std::endl;
  return 0;
}

int answer_requests() {
  const TorchRows rows = torch_rows();
  Sampler sample;
  std::cout << std::setprecision(std::numeric_limits<double>::max_digits10);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string request, row;
    words >> request;
    if (request == "version") {
      std::cout << TORCH_VERSION << std::endl;
    } else if (request == "prepare") {
      int threads = 1;
      words >> threads >> std::ws;
      std::getline(words, row);
      const auto found = rows.find(row);
      sample = nullptr;
      if (found != rows.end()) {
        use_threads(threads);
        sample = sampler(found->second());
      }
      std::cout << (sample ? "ready" : "unknown") << std::endl;
    } else {
      std::cout << sample() << std::endl;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--peak") return print_peak(argv[2]);
  return answer_requests();
}
