#include "measure.hpp"

#include <cstddef>
#include <thread>

namespace backdrop::bench {

double median(std::vector<double> samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

std::vector<Measured> interleave(std::span<const Sampler> contenders, const Budget& budget, double pause) {
  std::vector<std::vector<double>> seconds(contenders.size()), ratios(contenders.size());
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  for (int round = 0; round < budget.most_rounds; ++round) {
    if (elapsed() > (round < budget.least_rounds ? 3 : 1) * budget.seconds) break;
    for (std::size_t turn = 0; turn < contenders.size(); ++turn) {
      if (pause > 0) std::this_thread::sleep_for(std::chrono::duration<double>(pause));
      const std::size_t k = round % 2 == 0 ? turn : contenders.size() - 1 - turn;
      seconds[k].push_back(contenders[k]());
    }
    for (std::size_t k = 0; k < contenders.size(); ++k) {
      ratios[k].push_back(seconds[0].back() / seconds[k].back());
    }
  }
  std::vector<Measured> out;
  out.reserve(contenders.size());
  for (std::size_t k = 0; k < contenders.size(); ++k) out.push_back({median(seconds[k]), median(ratios[k])});
  return out;
}

}  // namespace backdrop::bench
