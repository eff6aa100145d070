#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/core/workers.hpp>
#include <string>

namespace backdrop {

struct Workers::Arena {
  // More threads than processors gain nothing, and make oneTBB print a warning.
  explicit Arena(int threads) : arena(std::min(threads, oneapi::tbb::info::default_concurrency())) {}
  oneapi::tbb::task_arena arena;
};

Workers::Workers(int threads) : threads_(threads == 0 ? oneapi::tbb::info::default_concurrency() : threads) {
  if (threads < 0) throw ValueError("workers: " + std::to_string(threads) + " threads; give 1 or more");
  if (threads_ > 1) arena_ = std::make_unique<Arena>(threads_);
}

Workers::~Workers() = default;

std::size_t Workers::slot() const {
  // Work that is not worth sharing runs outside of the arena, on one thread: any number will do there.
  const int index = oneapi::tbb::this_task_arena::current_thread_index();
  return index < 0 ? 0 : static_cast<std::size_t>(index % threads_);
}

void Workers::run(std::size_t count, std::size_t grain, void (*piece)(void*, std::size_t, std::size_t),
                  void* context) const {
  const std::size_t pieces = (count + grain - 1) / grain;
  arena_->arena.execute([&] {
    oneapi::tbb::parallel_for(std::size_t{0}, pieces, [&](std::size_t k) {
      const std::size_t begin = k * grain;
      piece(context, begin, begin + grain < count ? begin + grain : count);
    });
  });
}

}  // namespace backdrop
