#include <algorithm>
#include <backdrop/core/large_vector.hpp>
#include <bit>
#include <cstdint>
#include <mutex>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BACKDROP_ADDRESS_SANITIZER
#endif
#endif

namespace backdrop {

namespace {

constexpr auto kLine = std::align_val_t(64);
constexpr std::size_t kPage = std::size_t{64} << 10;  // of any system
constexpr std::size_t kLargePage = std::size_t{2} << 20;
#if defined(__SANITIZE_ADDRESS__) || defined(BACKDROP_ADDRESS_SANITIZER)
constexpr std::size_t kSmallestBlock = SIZE_MAX;
#else
constexpr std::size_t kSmallestBlock = 2 * kPage;
#endif

// Whole pages, large ones from 2 MiB on, and at most eight sizes between powers of two: then a block fits the
// next who takes about as much.
std::size_t block_size(std::size_t bytes) {
  if (bytes > SIZE_MAX / 2) throw std::bad_alloc();
  const std::size_t eighth = std::bit_floor(bytes) / 8;
  const std::size_t unit = std::max(bytes < kLargePage ? kPage : kLargePage, eighth);
  return (bytes + unit - 1) / unit * unit;
}

std::align_val_t alignment(std::size_t block) {
  return std::align_val_t(block < kLargePage ? kPage : kLargePage);
}

// Blocks given back stay at hand, and the system may take their pages when it needs them. In all there is
// never more than was once in use at a time, and a quarter: not every block is of a size that is asked for
// again.
class Blocks {
 public:
  void* take(std::size_t size) {
    const std::lock_guard lock(mutex_);
    kept_.reserve(count_ + 1);
    const auto fits = std::ranges::find(kept_, size, &Block::size);
    if (fits != kept_.end()) {
      void* const memory = fits->memory;
      kept_.erase(fits);
      in_use_ += size;
      return memory;
    }
    const std::size_t peak = std::max(peak_, in_use_ + size);
    while (total_ + size > peak + peak / 4) drop_oldest();
    void* memory = ::operator new(size, alignment(size), std::nothrow);
    if (memory == nullptr) {
      while (!kept_.empty()) drop_oldest();
      memory = ::operator new(size, alignment(size));
    }
    peak_ = peak;
#if defined(__linux__)
    if (size >= kLargePage) madvise(memory, size, MADV_HUGEPAGE);  // if it is refused, pages are small
#endif
    ++count_;
    total_ += size;
    in_use_ += size;
    return memory;
  }

  void give(void* memory, std::size_t size) noexcept {
#if defined(__linux__) && defined(MADV_FREE)
    madvise(memory, size, MADV_FREE);
#endif
    const std::lock_guard lock(mutex_);
    in_use_ -= size;
    kept_.push_back({memory, size});
  }

 private:
  struct Block {
    void* memory;
    std::size_t size;
  };

  void drop_oldest() {
    const auto [memory, size] = kept_.front();
    ::operator delete(memory, alignment(size));
    total_ -= size;
    --count_;
    kept_.erase(kept_.begin());
  }

  std::mutex mutex_;
  std::vector<Block> kept_;  // has room for all blocks
  std::size_t count_ = 0, total_ = 0, in_use_ = 0, peak_ = 0;
};

Blocks& blocks() {
  static Blocks& all = *new Blocks;  // outlives whatever is destroyed at the end of the process
  return all;
}

}  // namespace

bool memory_serves_again() { return kSmallestBlock < SIZE_MAX; }

void* take_memory(std::size_t bytes) {
  return bytes < kSmallestBlock ? ::operator new(bytes, kLine) : blocks().take(block_size(bytes));
}

void give_memory(void* memory, std::size_t bytes) noexcept {
  if (bytes < kSmallestBlock) {
    ::operator delete(memory, kLine);
  } else {
    blocks().give(memory, block_size(bytes));
  }
}

}  // namespace backdrop
