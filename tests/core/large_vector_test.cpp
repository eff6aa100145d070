#include <doctest/doctest.h>

#include <backdrop/core/chunked_array.hpp>
#include <backdrop/core/large_vector.hpp>
#include <bit>
#include <cstdint>
#include <vector>

using namespace backdrop;

namespace {

bool begins_at(const void* memory, std::uintptr_t multiple) {
  return std::bit_cast<std::uintptr_t>(memory) % multiple == 0;
}

}  // namespace

TEST_CASE("arrays of 2 MiB and more begin at large pages, smaller ones at cache lines") {
  if (!memory_serves_again()) return;
  const LargeVector<char> line(100), page(std::size_t{2} << 20), pages((std::size_t{4} << 20) + 1);
  CHECK(begins_at(line.data(), 64));
  CHECK(begins_at(page.data(), std::uintptr_t{2} << 20));
  CHECK(begins_at(pages.data(), std::uintptr_t{2} << 20));
}

TEST_CASE("a chunked array keeps every element where it is while it grows, and its memory when truncated") {
  ChunkedArray<std::uint64_t, 4> array;
  std::vector<const std::uint64_t*> places;
  for (std::uint64_t k = 0; k < 1000; ++k) {
    array.next() = k;
    array.commit();
    places.push_back(&array[k]);
  }
  bool stays = true;
  for (std::uint64_t k = 0; k < 1000; ++k) stays = stays && places[k] == &array[k] && array[k] == k;
  CHECK(stays);
  array.truncate(10);
  CHECK(&array.next() == places[10]);
}

TEST_CASE("a pool of words gives runs that never move, and the same ones again after a rewind") {
  WordPool pool;
  const WordPool::Mark begin = pool.mark();
  std::vector<std::uint64_t*> runs;
  for (std::size_t k = 0; k < 2000; ++k) {
    runs.push_back(pool.take(k % 7 == 0 ? 5000 : 3));
    *runs.back() = k;
  }
  bool stays = true;
  for (std::size_t k = 0; k < 2000; ++k) stays = stays && *runs[k] == k;
  CHECK(stays);
  pool.rewind(begin);
  CHECK(pool.take(5000) == runs[0]);
}

TEST_CASE("large memory that was given back serves the next who takes about as much") {
  if (!memory_serves_again()) return;
  const void* first = nullptr;
  {
    const LargeVector<char> pages(std::size_t{6} << 20, 'a');
    first = pages.data();
  }
  const LargeVector<char> again((std::size_t{6} << 20) - 100, 'b');
  CHECK(again.data() == first);
  const LargeVector<char> other(std::size_t{6} << 20, 'c');
  CHECK(other.data() != first);
  CHECK(again.front() == 'b');
  CHECK(other.back() == 'c');
}
