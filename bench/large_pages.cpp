#include "large_pages.hpp"

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

constexpr std::size_t kLargePage = std::size_t{2} << 20;
bool large_pages = false;

}  // namespace

namespace backdrop::bench {

void use_large_pages() { large_pages = true; }

}  // namespace backdrop::bench

// In place of the standard library's, for tensors, arenas and buffers alike.
void* operator new(std::size_t size, std::align_val_t alignment) {
  auto align = static_cast<std::size_t>(alignment);
  if (large_pages && size >= kLargePage) align = kLargePage;
  const std::size_t whole = (size + align - 1) / align * align;
  void* memory = std::aligned_alloc(align, whole);
  if (memory == nullptr) throw std::bad_alloc();
  if (align == kLargePage) madvise(memory, whole, MADV_HUGEPAGE);
  return memory;
}

void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
