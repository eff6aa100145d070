#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace hand {

/// Zeros, as well aligned as a tensor.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::size_t size)
      : data_(static_cast<T*>(::operator new(std::max(size * sizeof(T), kAlignment), kAlign))), size_(size) {
    std::fill_n(data_.get(), size, T{});
  }

  explicit Buffer(const std::vector<T>& elements) : Buffer(elements.size()) {
    std::copy(elements.begin(), elements.end(), begin());
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t k) { return data_.get()[k]; }
  const T& operator[](std::size_t k) const { return data_.get()[k]; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }

 private:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::align_val_t kAlign{kAlignment};
  struct Free {
    void operator()(T* data) const { ::operator delete(data, kAlign); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_;
};

}  // namespace hand
