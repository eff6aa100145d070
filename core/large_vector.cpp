#include <backdrop/core/large_vector.hpp>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace backdrop {

namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kLargePage = std::size_t{2} << 20;

std::align_val_t alignment(std::size_t bytes) {
  return std::align_val_t(bytes < kLargePage ? kLine : kLargePage);
}

}  // namespace

void* take_memory(std::size_t bytes) {
  if (bytes < kLargePage) return ::operator new(bytes, alignment(bytes));
  // Whole pages, for the last one is large, too.
  if (bytes > static_cast<std::size_t>(-1) - kLargePage) throw std::bad_alloc();
  const std::size_t whole = (bytes + kLargePage - 1) / kLargePage * kLargePage;
  void* const memory = ::operator new(whole, alignment(bytes));
#if defined(__linux__)
  madvise(memory, whole, MADV_HUGEPAGE);  // if it is refused, pages are small
#endif
  return memory;
}

void give_memory(void* memory, std::size_t bytes) noexcept { ::operator delete(memory, alignment(bytes)); }

}  // namespace backdrop
