#include "kernels/arithmetic.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/ask_ahead.hpp"

// Highway compiles this file once per instruction set; what stands before HWY_ONCE is in a namespace of its
// own each time. Vectors of unknown length cannot fill an array for the last elements, so NEON stands in for
// them.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/arithmetic.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/lane_bits-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using lane_bits::kGroup;
using lane_bits::LaneBits;
using lane_bits::load_bits;
using lane_bits::Tag;

/// A vector of which the first elements come from memory, or go there.
template <class T>
class Tail {
 public:
  explicit Tail(std::size_t n) : n_(n) {}

#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_INLINE hn::Vec<Tag<T>> load(const T* from) const {
    HWY_ALIGN T lanes[hn::MaxLanes(Tag<T>())] = {};
    std::memcpy(lanes, from, n_ * sizeof(T));
    return hn::Load(Tag<T>(), lanes);
  }
  HWY_INLINE void store(hn::Vec<Tag<T>> v, T* to) const {
    HWY_ALIGN T lanes[hn::MaxLanes(Tag<T>())];
    hn::Store(v, Tag<T>(), lanes);
    std::memcpy(to, lanes, n_ * sizeof(T));
  }
#else  // masked lanes touch no memory
  HWY_INLINE hn::Vec<Tag<T>> load(const T* from) const {
    return hn::MaskedLoad(hn::FirstN(Tag<T>(), n_), Tag<T>(), from);
  }
  HWY_INLINE void store(hn::Vec<Tag<T>> v, T* to) const {
    hn::BlendedStore(v, hn::FirstN(Tag<T>(), n_), Tag<T>(), to);
  }
#endif

 private:
  std::size_t n_;
};

template <class T, class F>
HWY_INLINE void map(const T* x, T* y, std::size_t n, F f) {
  const Tag<T> d;
  std::size_t k = 0;
  for (; k + kGroup <= n; k += kGroup) {
    ask_for_next_page<kGroup>(x + k);
    for (std::size_t i = k; i < k + kGroup; i += hn::Lanes(d)) hn::StoreU(f(hn::LoadU(d, x + i)), d, y + i);
  }
  for (; k + hn::Lanes(d) <= n; k += hn::Lanes(d)) hn::StoreU(f(hn::LoadU(d, x + k)), d, y + k);
#if HWY_MEM_OPS_MIGHT_FAULT  // one by one, for a vector could not read what was just written one by one
  for (; k < n; ++k) y[k] = hn::GetLane(f(hn::Set(d, x[k])));
#else
  if (k == n) return;
  const Tail<T> tail(n - k);
  tail.store(f(tail.load(x + k)), y + k);
#endif
}

template <class T, class F>
HWY_INLINE void zip(const T* a, const T* b, T* y, std::size_t n, F f) {
  const Tag<T> d;
  std::size_t k = 0;
  for (; k + hn::Lanes(d) <= n; k += hn::Lanes(d)) {
    hn::StoreU(f(hn::LoadU(d, a + k), hn::LoadU(d, b + k)), d, y + k);
  }
#if HWY_MEM_OPS_MIGHT_FAULT
  for (; k < n; ++k) y[k] = hn::GetLane(f(hn::Set(d, a[k]), hn::Set(d, b[k])));
#else
  if (k == n) return;
  const Tail<T> tail(n - k);
  tail.store(f(tail.load(a + k), tail.load(b + k)), y + k);
#endif
}

template <class T, class F>
HWY_INLINE void zip(const T* a, const T* b, const T* c, T* y, std::size_t n, F f) {
  const Tag<T> d;
  std::size_t k = 0;
  for (; k + hn::Lanes(d) <= n; k += hn::Lanes(d)) {
    hn::StoreU(f(hn::LoadU(d, a + k), hn::LoadU(d, b + k), hn::LoadU(d, c + k)), d, y + k);
  }
#if HWY_MEM_OPS_MIGHT_FAULT
  for (; k < n; ++k) y[k] = hn::GetLane(f(hn::Set(d, a[k]), hn::Set(d, b[k]), hn::Set(d, c[k])));
#else
  if (k == n) return;
  const Tail<T> tail(n - k);
  tail.store(f(tail.load(a + k), tail.load(b + k), tail.load(c + k)), y + k);
#endif
}

/// f(mask, first element, vector loader and storer), for whole vectors and for the rest; x is an operand.
template <class T, class F>
HWY_INLINE void for_each_kept(const std::uint8_t* mask, const T* x, std::size_t n, T* y, F f) {
  const Tag<T> d;
  const LaneBits<T> masks;
  const auto whole = [d](const T* from) HWY_ATTR { return hn::LoadU(d, from); };
  std::size_t k = 0;
  for (; k + kGroup <= n; k += kGroup) {
    ask_for_next_page<kGroup>(x + k);
    const std::uint64_t bits = load_bits(mask + k / 8, kGroup);
    for (std::size_t i = 0; i < kGroup; i += hn::Lanes(d)) {
      hn::StoreU(f(masks.at(bits, i), k + i, whole), d, y + k + i);
    }
  }
  if (k == n) return;
  const std::uint64_t bits = load_bits(mask + k / 8, n - k);
  for (std::size_t i = 0; k + i < n; i += hn::Lanes(d)) {
    const Tail<T> tail(std::min(n - k - i, hn::Lanes(d)));
    const auto part = [&tail](const T* from) HWY_ATTR { return tail.load(from); };
    tail.store(f(masks.at(bits, i), k + i, part), y + k + i);
  }
}

template <class T>
HWY_INLINE std::uint64_t bits_of(hn::Mask<Tag<T>> mask) {
  std::uint64_t bits = 0;
  hn::StoreMaskBits(Tag<T>(), mask, reinterpret_cast<std::uint8_t*>(&bits));
  return bits;
}

/// Writes the masks that f(first element, vector loader) gives.
template <class T, class F>
HWY_INLINE void write_masks(std::uint8_t* y, std::size_t n, F f) {
  const Tag<T> d;
  const auto whole = [d](const T* from) HWY_ATTR { return hn::LoadU(d, from); };
  std::size_t k = 0;
  for (; k + kGroup <= n; k += kGroup) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < kGroup; i += hn::Lanes(d)) bits |= bits_of<T>(f(k + i, whole)) << i;
    std::memcpy(y + k / 8, &bits, sizeof bits);
  }
  if (k == n) return;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; k + i < n; i += hn::Lanes(d)) {
    const Tail<T> tail(std::min(n - k - i, hn::Lanes(d)));
    const auto part = [&tail](const T* from) HWY_ATTR { return tail.load(from); };
    bits |= bits_of<T>(f(k + i, part)) << i;
  }
  bits &= (std::uint64_t{1} << (n - k)) - 1;
  std::memcpy(y + k / 8, &bits, (n - k + 7) / 8);
}

template <class T, class F>
HWY_INLINE void compare(const T* a, const T* b, std::uint8_t* y, std::size_t n, F f) {
  write_masks<T>(y, n, [&](std::size_t k, auto load) HWY_ATTR { return f(load(a + k), load(b + k)); });
}

// Highway's Max and Ne disagree with IEEE 754 on NaN for some instruction sets; these are made of Gt and Eq.
template <class V>
HWY_INLINE auto is_nan(V v) {
  return hn::Not(hn::Eq(v, v));
}

template <class T>
struct Functions {
  static void neg(const T* x, T* y, std::size_t n) {
    map(x, y, n, [](auto v) HWY_ATTR { return hn::Neg(v); });
  }
  static void abs(const T* x, T* y, std::size_t n) {
    map(x, y, n, [](auto v) HWY_ATTR { return hn::Abs(v); });
  }
  static void square(const T* x, T* y, std::size_t n) {
    map(x, y, n, [](auto v) HWY_ATTR { return hn::Mul(v, v); });
  }
  static void sqrt(const T* x, T* y, std::size_t n) {
    map(x, y, n, [](auto v) HWY_ATTR { return hn::Sqrt(v); });
  }
  static void reciprocal(const T* x, T* y, std::size_t n) {
    const auto one = hn::Set(Tag<T>(), T{1});
    map(x, y, n, [one](auto v) HWY_ATTR { return hn::Div(one, v); });
  }
  static void rsqrt(const T* x, T* y, std::size_t n) {
    const auto one = hn::Set(Tag<T>(), T{1});
    map(x, y, n, [one](auto v) HWY_ATTR { return hn::Div(one, hn::Sqrt(v)); });
  }
  static void relu(const T* x, T* y, std::size_t n) {
    map(x, y, n, [](auto v) HWY_ATTR { return hn::IfThenZeroElse(hn::Le(v, hn::Zero(Tag<T>())), v); });
  }
  // Some instruction sets lose the sign of what is rounded to 0.
  static void floor(const T* x, T* y, std::size_t n) {
    map(x, y, n, [](auto v) HWY_ATTR { return hn::CopySign(hn::Floor(v), v); });
  }
  static void ceil(const T* x, T* y, std::size_t n) {
    map(x, y, n, [](auto v) HWY_ATTR { return hn::CopySign(hn::Ceil(v), v); });
  }
  static void round(const T* x, T* y, std::size_t n) {
    map(x, y, n, [](auto v) HWY_ATTR { return hn::CopySign(hn::Round(v), v); });
  }
  static void scale(const T* x, T factor, T* y, std::size_t n) {
    const auto s = hn::Set(Tag<T>(), factor);
    map(x, y, n, [s](auto v) HWY_ATTR { return hn::Mul(v, s); });
  }
  static void add(const T* a, const T* b, T* y, std::size_t n) {
    zip(a, b, y, n, [](auto u, auto v) HWY_ATTR { return hn::Add(u, v); });
  }
  static void sub(const T* a, const T* b, T* y, std::size_t n) {
    zip(a, b, y, n, [](auto u, auto v) HWY_ATTR { return hn::Sub(u, v); });
  }
  static void mul(const T* a, const T* b, T* y, std::size_t n) {
    zip(a, b, y, n, [](auto u, auto v) HWY_ATTR { return hn::Mul(u, v); });
  }
  static void div(const T* a, const T* b, T* y, std::size_t n) {
    zip(a, b, y, n, [](auto u, auto v) HWY_ATTR { return hn::Div(u, v); });
  }
  static void multiply_add(const T* a, const T* b, const T* c, T* y, std::size_t n) {
    zip(a, b, c, y, n, [](auto u, auto v, auto w) HWY_ATTR { return hn::Add(hn::Mul(u, v), w); });
  }
  static void maximum(const T* a, const T* b, T* y, std::size_t n) {
    zip(a, b, y, n,
        [](auto u, auto v) HWY_ATTR { return hn::IfThenElse(hn::Or(hn::Gt(u, v), is_nan(u)), u, v); });
  }
  static void minimum(const T* a, const T* b, T* y, std::size_t n) {
    zip(a, b, y, n,
        [](auto u, auto v) HWY_ATTR { return hn::IfThenElse(hn::Or(hn::Lt(u, v), is_nan(u)), u, v); });
  }
  static void greater(const T* a, const T* b, std::uint8_t* y, std::size_t n) {
    compare(a, b, y, n, [](auto u, auto v) HWY_ATTR { return hn::Gt(u, v); });
  }
  static void greater_equal(const T* a, const T* b, std::uint8_t* y, std::size_t n) {
    compare(a, b, y, n, [](auto u, auto v) HWY_ATTR { return hn::Ge(u, v); });
  }
  static void less(const T* a, const T* b, std::uint8_t* y, std::size_t n) {
    compare(a, b, y, n, [](auto u, auto v) HWY_ATTR { return hn::Lt(u, v); });
  }
  static void less_equal(const T* a, const T* b, std::uint8_t* y, std::size_t n) {
    compare(a, b, y, n, [](auto u, auto v) HWY_ATTR { return hn::Le(u, v); });
  }
  static void equal(const T* a, const T* b, std::uint8_t* y, std::size_t n) {
    compare(a, b, y, n, [](auto u, auto v) HWY_ATTR { return hn::Eq(u, v); });
  }
  static void not_equal(const T* a, const T* b, std::uint8_t* y, std::size_t n) {
    compare(a, b, y, n, [](auto u, auto v) HWY_ATTR { return hn::Not(hn::Eq(u, v)); });
  }
  static void nonzero(const T* x, std::uint8_t* y, std::size_t n) {
    const auto zero_vector = hn::Zero(Tag<T>());
    write_masks<T>(
        y, n, [=](std::size_t k, auto load) HWY_ATTR { return hn::Not(hn::Eq(load(x + k), zero_vector)); });
  }
  static void select(const std::uint8_t* mask, const T* a, const T* b, T* y, std::size_t n) {
    for_each_kept(mask, a, n, y, [=](auto kept, std::size_t k, auto load) HWY_ATTR {
      return hn::IfThenElse(kept, load(a + k), load(b + k));
    });
  }
  static void indicate(const std::uint8_t* mask, T* y, std::size_t n) {
    const auto one = hn::Set(Tag<T>(), T{1});
    for_each_kept(mask, y, n, y,
                  [=](auto kept, std::size_t, auto) HWY_ATTR { return hn::IfThenElseZero(kept, one); });
  }
  static void fill(const T* x, const std::uint8_t* mask, T value, T* y, std::size_t n) {
    const auto other = hn::Set(Tag<T>(), value);
    for_each_kept(mask, x, n, y, [=](auto kept, std::size_t k, auto load) HWY_ATTR {
      return hn::IfThenElse(kept, other, load(x + k));
    });
  }
  static void keep(const T* x, const std::uint8_t* mask, T* y, std::size_t n) {
    for_each_kept(mask, x, n, y, [=](auto kept, std::size_t k, auto load) HWY_ATTR {
      return hn::IfThenElseZero(kept, load(x + k));
    });
  }
  static void keep_scaled(const T* x, const std::uint8_t* mask, T factor, T* y, std::size_t n) {
    const auto s = hn::Set(Tag<T>(), factor);
    for_each_kept(mask, x, n, y, [=](auto kept, std::size_t k, auto load) HWY_ATTR {
      return hn::IfThenElseZero(kept, hn::Mul(load(x + k), s));
    });
  }
};

template <class T>
const Arithmetic<T>* table() {
  using F = Functions<T>;
  static constexpr Arithmetic<T> kTable{
      .neg = F::neg,
      .abs = F::abs,
      .square = F::square,
      .sqrt = F::sqrt,
      .reciprocal = F::reciprocal,
      .rsqrt = F::rsqrt,
      .relu = F::relu,
      .floor = F::floor,
      .ceil = F::ceil,
      .round = F::round,
      .scale = F::scale,
      .add = F::add,
      .sub = F::sub,
      .mul = F::mul,
      .div = F::div,
      .multiply_add = F::multiply_add,
      .maximum = F::maximum,
      .minimum = F::minimum,
      .greater = F::greater,
      .greater_equal = F::greater_equal,
      .less = F::less,
      .less_equal = F::less_equal,
      .equal = F::equal,
      .not_equal = F::not_equal,
      .nonzero = F::nonzero,
      .select = F::select,
      .indicate = F::indicate,
      .fill = F::fill,
      .keep = F::keep,
      .keep_scaled = F::keep_scaled,
  };
  return &kTable;
}

const Arithmetic<float>* table_f32() { return table<float>(); }
const Arithmetic<double>* table_f64() { return table<double>(); }

}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backdrop::kernels {
namespace {

HWY_EXPORT(table_f32);
HWY_EXPORT(table_f64);

}  // namespace

template <>
const Arithmetic<float>& choose_arithmetic<float>() {
  return *HWY_DYNAMIC_DISPATCH(table_f32)();
}
template <>
const Arithmetic<double>& choose_arithmetic<double>() {
  return *HWY_DYNAMIC_DISPATCH(table_f64)();
}

}  // namespace backdrop::kernels
#endif  // HWY_ONCE
