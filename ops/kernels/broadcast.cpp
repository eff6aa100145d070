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

// Elements [begin, end) of all of y, of which element `first` is the first that is here.
template <class Storage>
void write(const Plan& plan, const Storage& storage, std::size_t first, std::size_t begin, std::size_t end) {
  Odometer row = plan.rows;
  row.seek(begin / plan.width);
  std::size_t column = begin % plan.width;
  for (std::size_t at = begin; at < end; column = 0, row.next()) {
    const std::size_t count = std::min(plan.width - column, end - at);
    if (plan.repeats) {
      storage.repeat(at - first, row.offset(), count);
    } else {
      storage.copy(at - first, row.offset() + column, count);
    }
    at += count;
  }
}

// Pieces begin at whole bytes of masks, so no two of them write to one.
template <class Storage>
void write_all(const Eval& e, const Plan& plan, std::size_t first, const Storage& storage) {
  e.workers.for_each(e.y.numel(), kGrain, [&](std::size_t begin, std::size_t end) {
    write(plan, storage, first, first + begin, first + end);
  });
}

template <class T>
Elements<T> elements(const Eval& e) {
  return {e.x[0].as<const T>(), e.y.as<T>()};
}

}  // namespace

void broadcast(const Eval& e) {
  // Any elements of y follow from all of x; rows of y from the same rows of x.
  const bool all = e.x[0].numel() == e.call.shape(0).numel();
  const Plan plan = all ? plan_for(e.call.shape(0), e.call.y.shape()) : plan_for(*e.x[0].shape, *e.y.shape);
  const std::size_t first = all ? e.first : 0;
  switch (e.y.dtype) {
    case DType::f32:
      return write_all(e, plan, first, elements<float>(e));
    case DType::f64:
      return write_all(e, plan, first, elements<double>(e));
    case DType::i64:
      return write_all(e, plan, first, elements<std::int64_t>(e));
    case DType::mask:
      return write_all(e, plan, first, Bits{e.x[0].as<const std::uint8_t>(), e.y.as<std::uint8_t>()});
  }
}

}  // namespace backdrop::kernels
