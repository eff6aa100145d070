#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_scheduler_observer.h>

#include <algorithm>
#include <atomic>
#include <backdrop/core/error.hpp>
#include <backdrop/core/workers.hpp>
#include <mutex>
#include <string>
#include <utility>

#ifdef __linux__
#include <sched.h>
#endif

namespace backdrop {

namespace {

/// Linux may start or wake a thread on the processor of the one that gives it work, and leave it there for a
/// tenth of a second while another processor idles. Such a thread moves away as it comes to work, once, and
/// is free to go anywhere after that.
class Spread final : public oneapi::tbb::task_scheduler_observer {
 public:
  explicit Spread(oneapi::tbb::task_arena& arena) : task_scheduler_observer(arena) { observe(true); }
  ~Spread() override { observe(false); }

#ifdef __linux__
  /// Who gives the work calls this.
  void stay() { taken_.store(sched_getcpu(), std::memory_order_relaxed); }

  void on_scheduler_entry(bool is_worker) override {
    const int taken = taken_.load(std::memory_order_relaxed);
    if (!is_worker || taken < 0 || sched_getcpu() != taken) return;
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    cpu_set_t others = allowed;
    CPU_CLR(static_cast<std::size_t>(taken), &others);
    if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0) {
      sched_setaffinity(0, sizeof allowed, &allowed);
    }
  }

 private:
  std::atomic<int> taken_{-1};
#else
  void stay() {}
#endif
};

}  // namespace

struct Workers::Arena {
  // More threads than processors gain nothing, and make oneTBB print a warning.
  explicit Arena(int count)
      : threads(count), arena(std::min(count, oneapi::tbb::info::default_concurrency())) {}

  const int threads;
  oneapi::tbb::task_arena arena;
  Spread spread{arena};
  std::unique_ptr<Arena> next;  // in the list of those that nobody uses
};

/// Arenas without work wait here for the next Workers of as many threads. They are never destroyed: a thread
/// that once came to an arena keeps looking at its Spread until it goes elsewhere.
class Workers::Idle {
 public:
  static Idle& arenas() {
    static Idle* const idle = new Idle;
    return *idle;
  }

  std::unique_ptr<Arena> take(int threads) {
    {
      const std::lock_guard hold(lock_);
      for (std::unique_ptr<Arena>* at = &first_; *at; at = &(*at)->next) {
        if ((*at)->threads != threads) continue;
        std::unique_ptr<Arena> found = std::move(*at);
        *at = std::move(found->next);
        return found;
      }
    }
    return std::make_unique<Arena>(threads);
  }

  void give_back(std::unique_ptr<Arena> arena) {
    const std::lock_guard hold(lock_);
    arena->next = std::move(first_);
    first_ = std::move(arena);
  }

 private:
  std::mutex lock_;
  std::unique_ptr<Arena> first_;
};

Workers::Workers(int threads) : threads_(threads == 0 ? oneapi::tbb::info::default_concurrency() : threads) {
  if (threads < 0) throw ValueError("workers: " + std::to_string(threads) + " threads; give 1 or more");
  if (threads_ > 1) arena_ = Idle::arenas().take(threads_);
}

Workers::~Workers() {
  if (arena_) Idle::arenas().give_back(std::move(arena_));
}

std::size_t Workers::slot() const {
  // Work that is not worth sharing runs outside of the arena, on one thread: any number will do there.
  const int index = oneapi::tbb::this_task_arena::current_thread_index();
  return index < 0 ? 0 : static_cast<std::size_t>(index % threads_);
}

void Workers::run(std::size_t count, std::size_t grain, void (*piece)(void*, std::size_t, std::size_t),
                  void* context) const {
  const std::size_t pieces = (count + grain - 1) / grain;
  arena_->spread.stay();
  arena_->arena.execute([&] {
    oneapi::tbb::parallel_for(std::size_t{0}, pieces, [&](std::size_t k) {
      const std::size_t begin = k * grain;
      piece(context, begin, begin + grain < count ? begin + grain : count);
    });
  });
}

}  // namespace backdrop
