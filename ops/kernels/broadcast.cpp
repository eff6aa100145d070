#include "kernels/broadcast.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/elementwise.hpp"
#include "kernels/odometer.hpp"

namespace backdrop::kernels {

namespace {

// Elements of y that one piece of work writes, about.
constexpr std::size_t kGrain = 32768;

// y as `rows` of `width` elements each: a copy of as many elements of x, or one element repeated.
struct Plan {
  Odometer rows;  // with offsets into x
  std::size_t width = 1;
  bool repeats = false;
};

Plan plan_for(const Shape& from, const Shape& to) {
  Runs runs;  // marked: repeated
  const std::size_t lead = to.rank() - from.rank();
  std::size_t stride = 1;
  for (std::size_t k = to.rank(); k-- > 0;) {
    const std::int64_t own = k < lead ? 1 : from[k - lead];
    runs.add_axis(to[k], own == 1 ? 0 : stride, own == 1);
    stride *= static_cast<std::size_t>(own);
  }
  Plan plan;
  if (runs.size() == 0) return plan;
  plan.width = runs[0].extent;
  plan.repeats = runs[0].marked;
  for (std::size_t k = runs.size(); k-- > 1;) plan.rows.add_axis(runs[k].extent, runs[k].stride);
  return plan;
}

template <class T>
struct Elements {
  const T* x;
  T* y;

  void copy(std::size_t to, std::size_t from, std::size_t n) const {
    std::memcpy(y + to, x + from, n * sizeof(T));
  }
  // memcpy has the widest stores of the machine.
  void repeat(std::size_t to, std::size_t from, std::size_t n) const {
    constexpr std::size_t kFirst = 64;
    T* const out = y + to;
    std::fill_n(out, std::min(n, kFirst), x[from]);
    for (std::size_t done = kFirst; done < n; done *= 2) {
      std::memcpy(out + done, out, std::min(done, n - done) * sizeof(T));
    }
  }
};

// The same for packed bits. Rows are written in order, so that the bits of y behind `to + n` in the last
// byte need not be kept: they are zero until the next row fills them, and in the end they are padding.
struct Bits {
  const std::uint8_t* x;
  std::uint8_t* y;

  void copy(std::size_t to, std::size_t from, std::size_t n) const {
    if (to % 8 == 0 && from % 8 == 0 && n % 8 == 0) {
      std::memcpy(y + to / 8, x + from / 8, n / 8);
      return;
    }
    for (std::size_t k = 0; k < n;) {
      const std::size_t count = std::min(n - k, 8 - (to + k) % 8);
      put(to + k, take(from + k, count));
      k += count;
    }
  }
  void repeat(std::size_t to, std::size_t from, std::size_t n) const {
    const unsigned all = bit(x, from) ? 0xFF : 0;
    const std::size_t head = std::min(n, (8 - to % 8) % 8);
    if (head > 0) put(to, all >> (8 - head));
    const std::size_t bytes = (n - head) / 8, tail = (n - head) % 8;
    std::memset(y + (to + head) / 8, static_cast<int>(all), bytes);
    if (tail > 0) put(to + head + 8 * bytes, all >> (8 - tail));
  }

 private:
  // Up to 8 bits from any place.
  unsigned take(std::size_t from, std::size_t count) const {
    const std::size_t byte = from / 8, shift = from % 8;
    unsigned bits = static_cast<unsigned>(x[byte]) >> shift;
    if (shift + count > 8) bits |= static_cast<unsigned>(x[byte + 1]) << (8 - shift);
    return bits & (0xFFU >> (8 - count));
  }
  // Bits that fit into the byte of `to`, behind those that it has already.
  void put(std::size_t to, unsigned bits) const {
    std::uint8_t& byte = y[to / 8];
    const unsigned before = to % 8 == 0 ? 0 : byte & (0xFFU >> (8 - to % 8));
    byte = static_cast<std::uint8_t>(before | bits << (to % 8));
  }
};

template <class Storage>
void write_rows(const Eval& e, const Plan& plan, Storage storage) {
  if (e.y.numel() == 0) return;
  const std::size_t rows = plan.rows.count(), width = plan.width;
  if (rows == 1) {
    e.workers.for_each(width, kGrain, [&](std::size_t begin, std::size_t end) {
      if (plan.repeats) {
        storage.repeat(begin, 0, end - begin);
      } else {
        storage.copy(begin, begin, end - begin);
      }
    });
    return;
  }
  // Eight rows of bits are whole bytes, so no two pieces write to one byte.
  const std::size_t grain = std::max<std::size_t>(1, kGrain / width / 8) * 8;
  e.workers.for_each(rows, grain, [&](std::size_t begin, std::size_t end) {
    Odometer at = plan.rows;
    at.seek(begin);
    for (std::size_t r = begin; r < end; ++r, at.next()) {
      if (plan.repeats) {
        storage.repeat(r * width, at.offset(), width);
      } else {
        storage.copy(r * width, at.offset(), width);
      }
    }
  });
}

template <class T>
Elements<T> elements(const Eval& e) {
  return {e.x[0].as<const T>(), e.y.as<T>()};
}

}  // namespace

void broadcast(const Eval& e) {
  const Plan plan = plan_for(*e.x[0].shape, *e.y.shape);
  switch (e.y.dtype) {
    case DType::f32:
      return write_rows(e, plan, elements<float>(e));
    case DType::f64:
      return write_rows(e, plan, elements<double>(e));
    case DType::i64:
      return write_rows(e, plan, elements<std::int64_t>(e));
    case DType::mask:
      return write_rows(e, plan, Bits{e.x[0].as<const std::uint8_t>(), e.y.as<std::uint8_t>()});
  }
}

}  // namespace backdrop::kernels
