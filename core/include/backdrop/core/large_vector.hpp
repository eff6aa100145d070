#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace backdrop {

/// Memory that begins at whole cache lines; from 2 MiB on at large pages, which it asks for. The first touch
/// of a page costs more than anything that is done with it later, and of a graph of millions of nodes, or a
/// large tensor, all memory would be new at each step: so blocks that were given back serve again.
void* take_memory(std::size_t bytes);
void give_memory(void* memory, std::size_t bytes) noexcept;
/// Whether they do: not under AddressSanitizer, which sees what is written past the end of a block, or after
/// it was given back, only of memory that comes and goes one by one.
bool memory_serves_again();

template <class T>
struct LargeAllocator {
  using value_type = T;

  LargeAllocator() = default;
  template <class U>
  LargeAllocator(const LargeAllocator<U>&) {}

  T* allocate(std::size_t n) { return static_cast<T*>(take_memory(n * sizeof(T))); }
  void deallocate(T* data, std::size_t n) noexcept { give_memory(data, n * sizeof(T)); }
  bool operator==(const LargeAllocator&) const = default;
};

/// For what has an element for every node.
template <class T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

/// `size` elements in such memory; numbers are left for the owner to write.
template <class T>
class LargeArray {
 public:
  explicit LargeArray(std::size_t size) : data_(LargeAllocator<T>().allocate(size)), size_(size) {
    std::uninitialized_default_construct_n(data_, size_);
  }
  LargeArray(LargeArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  LargeArray& operator=(LargeArray&&) = delete;
  ~LargeArray() {
    std::destroy_n(data_, size_);
    if (data_ != nullptr) LargeAllocator<T>().deallocate(data_, size_);
  }

  T& operator[](std::size_t k) const { return data_[k]; }
  T* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  T* data_;
  std::size_t size_;
};

}  // namespace backdrop
