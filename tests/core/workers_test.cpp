#include <doctest/doctest.h>

#include <atomic>
#include <backdrop/core/workers.hpp>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sched.h>
#endif

namespace backdrop {

TEST_CASE("workers take every piece once") {
  for (const int threads : {1, 2, 3}) {
    const Workers workers(threads);
    std::vector<std::atomic<int>> taken(1000);
    workers.for_each(taken.size(), 7, [&](std::size_t begin, std::size_t end) {
      CHECK_MESSAGE(end - begin <= 7, "a piece longer than the grain");
      for (std::size_t i = begin; i < end; ++i) ++taken[i];
    });
    for (const std::atomic<int>& times : taken) REQUIRE(times == 1);
  }
}

#ifdef __linux__
TEST_CASE("a worker that moves to another processor stays free to use all") {
  cpu_set_t mine;
  REQUIRE(sched_getaffinity(0, sizeof mine, &mine) == 0);
  const Workers workers(2);
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<int> bound = 0;
  const auto work = [&] {
    workers.for_each(64, 1, [&](std::size_t, std::size_t) {
      cpu_set_t allowed;
      if (std::this_thread::get_id() != caller) {
        if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || !CPU_EQUAL(&allowed, &mine)) ++bound;
      }
      for (volatile int spin = 0; spin < 20000;) spin = spin + 1;  // long enough for the second to come
    });
  };
  work();  // the second thread is there, and may go where the caller may
  for (std::size_t processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (!CPU_ISSET(processor, &mine)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);  // so that the second meets the caller somewhere
    for (int round = 0; round < 5; ++round) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      work();
    }
  }
  CHECK(sched_setaffinity(0, sizeof mine, &mine) == 0);
  CHECK(bound == 0);
}
#endif

}  // namespace backdrop
