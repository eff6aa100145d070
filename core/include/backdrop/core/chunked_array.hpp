#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace backdrop {

/// A growing array, in chunks of `kChunk` elements, that never move. Truncation keeps the memory.
template <class T, std::size_t kChunk>
class ChunkedArray {
 public:
  std::size_t size() const { return size_; }
  T& operator[](std::size_t k) { return chunks_[k / kChunk][k % kChunk]; }
  const T& operator[](std::size_t k) const { return chunks_[k / kChunk][k % kChunk]; }

  /// The slot after the last element, which `commit` makes the last.
  T& next() {
    if (size_ == chunks_.size() * kChunk) chunks_.push_back(std::make_unique_for_overwrite<T[]>(kChunk));
    return (*this)[size_];
  }
  void commit() { ++size_; }
  void truncate(std::size_t size) { size_ = size; }

 private:
  std::vector<std::unique_ptr<T[]>> chunks_;
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
    while (at_.chunk < chunks_.size() && chunks_[at_.chunk].capacity - at_.used < count) {
      at_ = {at_.chunk + 1, 0};
    }
    if (at_.chunk == chunks_.size()) {
      const std::size_t capacity = count > kChunk ? count : kChunk;
      chunks_.push_back({std::make_unique_for_overwrite<std::uint64_t[]>(capacity), capacity});
    }
    std::uint64_t* run = chunks_[at_.chunk].words.get() + at_.used;
    at_.used += count;
    return run;
  }
  Mark mark() const { return at_; }
  void rewind(Mark mark) { at_ = mark; }

 private:
  static constexpr std::size_t kChunk = 4096;
  struct Chunk {
    std::unique_ptr<std::uint64_t[]> words;
    std::size_t capacity;
  };
  std::vector<Chunk> chunks_;
  Mark at_;
};

}  // namespace backdrop
