#include "kernels/scan.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "kernels/elementwise.hpp"
#include "kernels/folds.hpp"

namespace backdrop::kernels {

namespace {

constexpr std::size_t kGrain = 16384;  // elements worth handing to a thread

// Calls f(offset of the first element, elements from one to the next, how many) for every line.
template <class F>
void for_each_line(const Eval& e, std::size_t axis, bool reverse, F f) {
  const Shape& shape = *e.y.shape;
  const auto count = static_cast<std::size_t>(shape[axis]);
  if (e.y.numel() == 0) return;
  std::size_t stride = 1;
  for (std::size_t k = axis + 1; k < shape.rank(); ++k) stride *= static_cast<std::size_t>(shape[k]);
  const auto step = static_cast<std::ptrdiff_t>(stride);
  e.workers.for_each(e.y.numel() / count, std::max<std::size_t>(kGrain / count, 1),
                     [&](std::size_t begin, std::size_t end) {
                       for (std::size_t line = begin; line < end; ++line) {
                         const std::size_t first = line / stride * stride * count + line % stride;
                         if (reverse) {
                           f(static_cast<std::ptrdiff_t>(first + (count - 1) * stride), -step, count);
                         } else {
                           f(static_cast<std::ptrdiff_t>(first), step, count);
                         }
                       }
                     });
}

template <class T>
using Sum = std::conditional_t<sizeof(T) == sizeof(float), SumWide, SumCompensated>;

// With the greater of both in front: ln(1 + e^-d) loses no digits. Of two equal infinities, that one.
double log_add(double a, double b) {
  const double greater = a > b ? a : b, less = a > b ? b : a;
  return greater == less ? greater + std::log(2.0) : greater + std::log1p(std::exp(less - greater));
}

}  // namespace

void cumsum(const Eval& e, std::size_t axis, bool reverse) {
  with_float(e.y.dtype, [&]<class T>(T) {
    const T* x = e.x[0].as<const T>();
    T* y = e.y.as<T>();
    for_each_line(e, axis, reverse, [=](std::ptrdiff_t at, std::ptrdiff_t step, std::size_t count) {
      double sum = 0, error = 0;
      for (std::size_t k = 0; k < count; ++k, at += step) {
        Sum<T>::take(sum, error, static_cast<double>(x[at]));
        y[at] = static_cast<T>(Sum<T>::finish(sum, error));
      }
    });
  });
}

void recurrence(const Eval& e, std::size_t axis, bool reverse) {
  with_float(e.y.dtype, [&]<class T>(T) {
    const T* a = e.x[0].as<const T>();
    const T* b = e.x[1].as<const T>();
    T* y = e.y.as<T>();
    for_each_line(e, axis, reverse, [=](std::ptrdiff_t at, std::ptrdiff_t step, std::size_t count) {
      double state = 0;
      for (std::size_t k = 0; k < count; ++k, at += step) {
        const double carried = k == 0 ? 0 : static_cast<double>(a[at]) * state;
        state = carried + static_cast<double>(b[at]);
        y[at] = static_cast<T>(state);
      }
    });
  });
}

void logcumsumexp(const Eval& e, std::size_t axis) {
  with_float(e.y.dtype, [&]<class T>(T) {
    const T* x = e.x[0].as<const T>();
    T* y = e.y.as<T>();
    for_each_line(e, axis, false, [=](std::ptrdiff_t at, std::ptrdiff_t step, std::size_t count) {
      double state = 0;
      for (std::size_t k = 0; k < count; ++k, at += step) {
        const auto next = static_cast<double>(x[at]);
        state = k == 0 ? next : log_add(state, next);
        y[at] = static_cast<T>(state);
      }
    });
  });
}

}  // namespace backdrop::kernels
