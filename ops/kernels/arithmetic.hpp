#pragma once

#include <atomic>
#include <backdrop/core/op.hpp>
#include <cstddef>
#include <cstdint>

#include "kernels/elementwise.hpp"

/// Vector code for the ops that are little more than one instruction. Every instruction set gives the bits of
/// the formulas below (NaNs may differ in payload). y may be one of the inputs; mask bits are read and
/// written from a whole byte on, and the unused bits of the last one are written as zero.
namespace backdrop::kernels {

template <class T>
struct Arithmetic {
  using Unary = void (*)(const T* x, T* y, std::size_t n);
  using Binary = void (*)(const T* a, const T* b, T* y, std::size_t n);
  using Relation = void (*)(const T* a, const T* b, std::uint8_t* y, std::size_t n);

  Unary neg, abs, square, sqrt;
  Unary reciprocal;  ///< 1 / x
  Unary rsqrt;       ///< 1 / sqrt(x), both rounded
  Unary relu;        ///< x > 0 || isnan(x) ? x : +0
  Unary floor, ceil;
  Unary round;  ///< to the nearest integer, halves to the even one
  void (*scale)(const T* x, T factor, T* y, std::size_t n);  ///< x * factor
  Binary add, sub, mul, div;
  void (*multiply_add)(const T* a, const T* b, const T* c, T* y, std::size_t n);  ///< a * b, rounded, + c
  Binary maximum;  ///< a > b || isnan(a) ? a : b
  Binary minimum;  ///< a < b || isnan(a) ? a : b
  Relation greater, greater_equal, less, less_equal, equal, not_equal;
  void (*nonzero)(const T* x, std::uint8_t* y, std::size_t n);  ///< x != 0
  /// mask ? a : b
  void (*select)(const std::uint8_t* mask, const T* a, const T* b, T* y, std::size_t n);
  void (*indicate)(const std::uint8_t* mask, T* y, std::size_t n);                   ///< mask ? 1 : 0
  void (*fill)(const T* x, const std::uint8_t* mask, T value, T* y, std::size_t n);  ///< mask ? value : x
  void (*keep)(const T* x, const std::uint8_t* mask, T* y, std::size_t n);           ///< mask ? x : +0
  void (*keep_scaled)(const T* x, const std::uint8_t* mask, T factor, T* y,
                      std::size_t n);  ///< mask ? x * factor : +0
};

/// The functions for the instruction set that Highway has chosen.
template <class T>
const Arithmetic<T>& choose_arithmetic();
template <>
const Arithmetic<float>& choose_arithmetic<float>();
template <>
const Arithmetic<double>& choose_arithmetic<double>();

/// What was chosen, if anything: a kernel may have one element, and should not ask three times who computes
/// it.
template <class T>
inline std::atomic<const Arithmetic<T>*> chosen_arithmetic = nullptr;

/// The functions for the best instruction set of this machine.
template <class T>
const Arithmetic<T>& arithmetic() {
  const Arithmetic<T>* functions = chosen_arithmetic<T>.load(std::memory_order_relaxed);
  if (functions == nullptr) [[unlikely]] {
    functions = &choose_arithmetic<T>();
    chosen_arithmetic<T>.store(functions, std::memory_order_relaxed);
  }
  return *functions;
}

/// y = f(x) and y = f(x0, x1), where `pick` takes f from the table: [](const auto& k) { return k.add; }
template <class Pick>
void vector_map(const Block& b, Pick pick) {
  with_float(b.dtype(), [&]<class T>(T) {
    pick(arithmetic<T>())(static_cast<const T*>(b.x[0]), static_cast<T*>(b.y), b.count);
  });
}
template <class Pick>
void vector_zip(const Block& b, Pick pick) {
  with_float(b.dtype(), [&]<class T>(T) {
    pick(arithmetic<T>())(static_cast<const T*>(b.x[0]), static_cast<const T*>(b.x[1]), static_cast<T*>(b.y),
                          b.count);
  });
}

/// y = f(x, mask) where the mask is input 1.
template <class Pick>
void vector_map_kept(const Block& b, Pick pick) {
  with_float(b.dtype(), [&]<class T>(T) {
    pick(arithmetic<T>())(static_cast<const T*>(b.x[0]), static_cast<const std::uint8_t*>(b.x[1]),
                          static_cast<T*>(b.y), b.count);
  });
}

/// y[k] = f(k) for i64
template <class F>
void map_integers(const Block& b, F f) {
  auto* y = static_cast<std::int64_t*>(b.y);
  for (std::size_t k = 0; k < b.count; ++k) y[k] = f(k);
}

/// y = one of x0 and x1: of i64 f(x0, x1), of floats what `pick` takes from the table.
template <class Pick, class F>
void vector_choose(const Block& b, Pick pick, F f) {
  if (b.dtype() != DType::i64) return vector_zip(b, pick);
  const auto* x0 = static_cast<const std::int64_t*>(b.x[0]);
  const auto* x1 = static_cast<const std::int64_t*>(b.x[1]);
  map_integers(b, [=](std::size_t k) { return f(x0[k], x1[k]); });
}

/// y = a where the mask (input 0) is 1, b where it is 0
inline void select(const Block& b) {
  if (b.dtype() == DType::i64) {
    const auto* x = static_cast<const std::int64_t*>(b.x[1]);
    const auto* other = static_cast<const std::int64_t*>(b.x[2]);
    return map_integers(b, [=](std::size_t k) { return bit(b.x[0], k) ? x[k] : other[k]; });
  }
  with_float(b.dtype(), [&]<class T>(T) {
    arithmetic<T>().select(static_cast<const std::uint8_t*>(b.x[0]), static_cast<const T*>(b.x[1]),
                           static_cast<const T*>(b.x[2]), static_cast<T*>(b.y), b.count);
  });
}

/// The functions of a number and x: pick(table)(x, number, y, n)
template <class Pick>
void vector_map(const Block& b, double number, Pick pick) {
  with_float(b.dtype(), [&]<class T>(T) {
    pick(arithmetic<T>())(static_cast<const T*>(b.x[0]), static_cast<T>(number), static_cast<T*>(b.y),
                          b.count);
  });
}
/// The same, where the mask (input 1) is 1.
template <class Pick>
void vector_map_kept(const Block& b, double number, Pick pick) {
  with_float(b.dtype(), [&]<class T>(T) {
    pick(arithmetic<T>())(static_cast<const T*>(b.x[0]), static_cast<const std::uint8_t*>(b.x[1]),
                          static_cast<T>(number), static_cast<T*>(b.y), b.count);
  });
}

/// y = x where the mask (input 1) is 1, 0 where it is 0
inline void keep(const Block& b) {
  if (b.dtype() != DType::i64) {
    return vector_map_kept(b, [](const auto& k) { return k.keep; });
  }
  const auto* x = static_cast<const std::int64_t*>(b.x[0]);
  map_integers(b, [=](std::size_t k) { return bit(b.x[1], k) ? x[k] : 0; });
}

/// y = a number where the mask (input 1) is 1, x where it is 0
inline void fill(const Block& b, double number) {
  if (b.dtype() != DType::i64) {
    return vector_map_kept(b, number, [](const auto& k) { return k.fill; });
  }
  const auto* x = static_cast<const std::int64_t*>(b.x[0]);
  const auto value = static_cast<std::int64_t>(number);
  map_integers(b, [=](std::size_t k) { return bit(b.x[1], k) ? value : x[k]; });
}

/// mask = related(x0, x1) for f32, f64 and i64, where `pick` takes the relation of floats from the table.
template <class Pick, class Related>
void vector_compare(const Block& b, Pick pick, Related related) {
  if (b.call.dtype(0) == DType::i64) {
    const auto* x0 = static_cast<const std::int64_t*>(b.x[0]);
    const auto* x1 = static_cast<const std::int64_t*>(b.x[1]);
    write_bits(b.y, b.count, [=](std::size_t k) { return related(x0[k], x1[k]); });
    return;
  }
  with_float(b.call.dtype(0), [&]<class T>(T) {
    pick(arithmetic<T>())(static_cast<const T*>(b.x[0]), static_cast<const T*>(b.x[1]),
                          static_cast<std::uint8_t*>(b.y), b.count);
  });
}

}  // namespace backdrop::kernels
