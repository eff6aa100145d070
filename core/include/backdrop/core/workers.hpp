#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace backdrop {

/// The threads a run may use. Work is cut by `grain`, which a kernel derives from the problem's shape alone,
/// so results do not depend on how many threads there are.
class Workers {
 public:
  /// `threads` >= 1, or 0 for one per processor available to the process. Throws ValueError when negative.
  explicit Workers(int threads = 0);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int threads() const { return threads_; }

  /// In a body of for_each: which of the threads this is, counted from 0.
  std::size_t slot() const;

  /// Calls `body(begin, end)` for the pieces [0, grain), [grain, 2 grain), ... of [0, count), in any order.
  template <class Body>
  void for_each(std::size_t count, std::size_t grain, Body&& body) const {
    using Plain = std::remove_reference_t<Body>;
    if (threads_ == 1 || count <= grain) {
      for (std::size_t begin = 0; begin < count; begin += grain) {
        body(begin, begin + grain < count ? begin + grain : count);
      }
      return;
    }
    run(
        count, grain,
        [](void* context, std::size_t begin, std::size_t end) {
          (*static_cast<Plain*>(context))(begin, end);
        },
        const_cast<void*>(static_cast<const void*>(&body)));
  }

 private:
  void run(std::size_t count, std::size_t grain, void (*piece)(void*, std::size_t, std::size_t),
           void* context) const;

  struct Arena;
  class Idle;
  std::unique_ptr<Arena> arena_;
  int threads_;
};

}  // namespace backdrop
