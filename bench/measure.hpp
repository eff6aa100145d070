#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <span>
#include <utility>
#include <vector>

/// How times are taken: samples of contenders in turn, each after an untimed call of the same work, and the
/// median of what is found round by round. A machine that is slow for a second is slow for all of them.
namespace backdrop::bench {

/// Seconds that one call of some work takes, now.
using Sampler = std::function<double()>;

template <class Work>
double seconds_of(Work& work, int calls = 1) {
  const auto start = std::chrono::steady_clock::now();
  for (int k = 0; k < calls; ++k) work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Samples of `work`, each of as many calls as make it longer than `kShortestSample`, and after one untimed:
/// caches, pages and branch predictors are as the timed calls leave them. What takes many seconds has
/// one untimed call in all.
template <class Work>
Sampler sampler(Work work) {
  constexpr double kShortestSample = 500e-6, kLong = 10e-3, kVeryLong = 5;
  return [work = std::move(work), calls = 0]() mutable {
    double one = seconds_of(work);
    if (calls > 0 && one > kVeryLong) return one;
    if (calls == 0) {
      if (one < kLong) one = seconds_of(work);  // the first one was cold
      calls = 1 + static_cast<int>(kShortestSample / std::max(one, 1e-9));
    }
    return seconds_of(work, calls) / calls;
  };
}

/// How long to go on measuring a row: until both the rounds and the seconds are reached, or three times the
/// seconds, or the most rounds.
struct Budget {
  double seconds = 4;
  int least_rounds = 5;
  int most_rounds = 301;
};

double median(std::vector<double> samples);

/// What a contender took, and how many times as long the first one took in the same round: medians.
struct Measured {
  double seconds;
  double ratio;
};

/// Rounds of one sample of each contender, every other round in reverse, so that nobody always comes after
/// the one that leaves caches and processor in the worst state. Between samples `pause` seconds pass: threads
/// that spin while they wait for work have gone to sleep then.
std::vector<Measured> interleave(std::span<const Sampler> contenders, const Budget& budget, double pause = 0);

}  // namespace backdrop::bench
