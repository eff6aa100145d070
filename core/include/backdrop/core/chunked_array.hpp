#pragma once

#include <algorithm>
#include <backdrop/core/large_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace backdrop {

/// A growing array, in chunks of `kChunk` elements, that never move. Truncation keeps the memory, which is
/// taken for as many chunks at once as there are, within bounds.
template <class T, std::size_t kChunk>
class ChunkedArray {
 public:
  std::size_t size() const { return size_; }
  T& operator[](std::size_t k) { return chunks_[k / kChunk][k % kChunk]; }
  const T& operator[](std::size_t k) const { return chunks_[k / kChunk][k % kChunk]; }

  /// The slot after the last element, which `commit` makes the last.
  T& next() {
    if (size_ == chunks_.size() * kChunk) [[unlikely]]
      grow();
    return (*this)[size_];
  }
  void commit() { ++size_; }
  void truncate(std::size_t size) { size_ = size; }

 private:
  static constexpr std::size_t kMostAtOnce = (std::size_t{16} << 20) / (kChunk * sizeof(T)) + 1;

  void grow() {
    const std::size_t count = std::clamp<std::size_t>(chunks_.size(), 1, kMostAtOnce);
    chunks_.reserve(chunks_.size() + count);
    slabs_.emplace_back(count * kChunk);
    for (std::size_t k = 0; k < count; ++k) chunks_.push_back(slabs_.back().data() + k * kChunk);
  }

  std::vector<LargeArray<T>> slabs_;  // what the chunks are parts of
  std::vector<T*> chunks_;
  std::size_t size_ = 0;
};

/// Runs of words that never move, taken off the end and given back from the end.
class WordPool {
 public:
  struct Mark {
    std::size_t chunk = 0;
    std::size_t used = 0;
  };

  std::uint64_t* take(std::size_t count) {
    while (at_.chunk < chunks_.size() && chunks_[at_.chunk].size() - at_.used < count) {
      at_ = {at_.chunk + 1, 0};
    }
    if (at_.chunk == chunks_.size()) grow(count);
    std::uint64_t* run = chunks_[at_.chunk].data() + at_.used;
    at_.used += count;
    return run;
  }
  Mark mark() const { return at_; }
  void rewind(Mark mark) { at_ = mark; }

 private:
  static constexpr std::size_t kChunk = 4096, kLargestChunk = std::size_t{1} << 20;

  void grow(std::size_t count) {
    const std::size_t words = chunks_.empty() ? kChunk : std::min(2 * chunks_.back().size(), kLargestChunk);
    chunks_.emplace_back(std::max(count, words));
  }

  std::vector<LargeArray<std::uint64_t>> chunks_;
  Mark at_;
};

}  // namespace backdrop
