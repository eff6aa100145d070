#include "kernels/fold_lanes.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/folds.hpp"

// Highway compiles what stands before HWY_ONCE once per instruction set. Most loops are plain ones that
// compilers vectorise; the lanes they run over are fixed, so all instruction sets give the same bits. Vectors
// of unknown length cannot be elements of an array, so NEON stands in for them.
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/fold_lanes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/rows-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {

template <class F, std::size_t kRows, class T>
HWY_INLINE void fold_some_rows(double* HWY_RESTRICT state, double* HWY_RESTRICT error,
                               const T* HWY_RESTRICT x, std::size_t stride, std::size_t width) {
  for (std::size_t k = 0; k < width; ++k) {
    double s = state[k], e = error[k];
    for (std::size_t r = 0; r < kRows; ++r) F::take(s, e, static_cast<double>(x[r * stride + k]));
    state[k] = s;
    error[k] = e;
  }
}

/// The state is fetched and stored once for a few rows, which takes longer than to fold them.
template <class F, class T>
void fold_rows(double* HWY_RESTRICT state, double* HWY_RESTRICT error, const T* HWY_RESTRICT x,
               std::size_t stride, std::size_t rows, std::size_t width) {
  for (; rows >= 4; rows -= 4, x += 4 * stride) fold_some_rows<F, 4>(state, error, x, stride, width);
  for (; rows >= 2; rows -= 2, x += 2 * stride) fold_some_rows<F, 2>(state, error, x, stride, width);
  if (rows > 0) fold_some_rows<F, 1>(state, error, x, stride, width);
}

template <class F, class T>
void fold_short_columns(double* HWY_RESTRICT state, double* HWY_RESTRICT error, const T* HWY_RESTRICT x,
                        const Matrix& m) {
  for (std::size_t k = 0; k < m.width; ++k, x += m.column) {
    double s = state[k], e = error[k];
    for (std::size_t r = 0; r < m.rows; ++r) F::take(s, e, static_cast<double>(x[r]));
    state[k] = s;
    error[k] = e;
  }
}

/// Narrow matrices (a contiguous row is a matrix of one column) are read as fewer, wider rows, whose parts
/// meet at the end.
template <class F, class T>
void fold_matrix(Fold fold, Lanes& lanes, const T* x, const Matrix& m) {
  if (m.column != 1) return fold_short_columns<F>(lanes.state, lanes.error, x, m);
  std::size_t group = 1;
  if (m.row == m.width) {
    while (2 * group * m.width <= kWide && 2 * group <= m.rows) group *= 2;
  }
  if (group == 1) return fold_rows<F>(lanes.state, lanes.error, x, m.row, m.rows, m.width);
  const std::size_t wide = group * m.width;
  std::fill(lanes.state + m.width, lanes.state + wide, F::kIdentity);
  std::fill(lanes.error + m.width, lanes.error + wide, 0.0);
  fold_rows<F>(lanes.state, lanes.error, x, wide, m.rows / group, wide);
  fold_rows<F>(lanes.state, lanes.error, x + m.rows / group * wide, wide, 1, m.rows % group * m.width);
  merge_beside<T>(fold, lanes, group, m.width);
}

/// A contiguous row, where its fold needs no more than a number. False: it was not folded.
template <class T>
bool fold_row(Fold fold, Lanes& lanes, const T* x, std::size_t n) {
  double& state = lanes.state[0];
  if (fold == Fold::max) {
    Greatest::merge(state, lanes.error[0], rows::extreme<1>(x, n), 0);
  } else if (fold == Fold::min) {
    Least::merge(state, lanes.error[0], rows::extreme<-1>(x, n), 0);
  } else if (sizeof(T) == sizeof(float) && (fold == Fold::sum || fold == Fold::mean)) {
    state += rows::sum(x, n);
  } else {
    return false;
  }
  return true;
}

template <class T>
void fold_as(Fold fold, Lanes& lanes, const T* x, const Matrix& m) {
  using Sum = std::conditional_t<sizeof(T) == sizeof(float), SumWide, SumCompensated>;
  if (m.width == 1 && m.row == 1 && m.column == 1 && fold_row(fold, lanes, x, m.rows)) return;
  switch (fold) {
    case Fold::sum:
    case Fold::mean:
      return fold_matrix<Sum>(fold, lanes, x, m);
    case Fold::norm:
      return fold_matrix<SquaresOf<Sum>>(fold, lanes, x, m);
    case Fold::prod:
      return fold_matrix<ProductWide>(fold, lanes, x, m);
    case Fold::max:
      return fold_matrix<Greatest>(fold, lanes, x, m);
    case Fold::min:
      return fold_matrix<Least>(fold, lanes, x, m);
  }
}

void fold_f32(Fold fold, Lanes& lanes, const float* x, const Matrix& m) { fold_as(fold, lanes, x, m); }
void fold_f64(Fold fold, Lanes& lanes, const double* x, const Matrix& m) { fold_as(fold, lanes, x, m); }

}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backdrop::kernels {

namespace {

HWY_EXPORT(fold_f32);
HWY_EXPORT(fold_f64);

// Calls f with the fold of terms T.
template <class T, class F>
void with_fold(Fold fold, F&& f) {
  using Sum = std::conditional_t<sizeof(T) == sizeof(float), SumWide, SumCompensated>;
  switch (fold) {
    case Fold::prod:
      return f(ProductWide{});
    case Fold::max:
      return f(Greatest{});
    case Fold::min:
      return f(Least{});
    default:
      return f(Sum{});
  }
}

}  // namespace

void fold_into(Fold fold, Lanes& lanes, const float* x, const Matrix& m) {
  HWY_DYNAMIC_DISPATCH(fold_f32)(fold, lanes, x, m);
}
void fold_into(Fold fold, Lanes& lanes, const double* x, const Matrix& m) {
  HWY_DYNAMIC_DISPATCH(fold_f64)(fold, lanes, x, m);
}

void clear(Fold fold, Lanes& lanes, std::size_t width) {
  with_fold<float>(fold, [&]<class F>(F) { std::fill_n(lanes.state, width, F::kIdentity); });
  std::fill_n(lanes.error, width, 0.0);
}

template <class T>
void merge(Fold fold, Lanes& into, const Lanes& from, std::size_t width) {
  with_fold<T>(fold, [&]<class F>(F) {
    for (std::size_t k = 0; k < width; ++k) {
      F::merge(into.state[k], into.error[k], from.state[k], from.error[k]);
    }
  });
}

template <class T>
void merge_beside(Fold fold, Lanes& lanes, std::size_t beside, std::size_t columns) {
  with_fold<T>(fold, [&]<class F>(F) {
    for (std::size_t half = beside / 2 * columns; half >= columns; half /= 2) {
      for (std::size_t k = 0; k < half; ++k) {
        F::merge(lanes.state[k], lanes.error[k], lanes.state[half + k], lanes.error[half + k]);
      }
    }
  });
}

template <class T>
void finish(Fold fold, const Lanes& lanes, std::size_t width, std::size_t terms, T* y) {
  with_fold<T>(fold, [&]<class F>(F) {
    for (std::size_t k = 0; k < width; ++k) {
      double result = F::finish(lanes.state[k], lanes.error[k]);
      if (fold == Fold::mean) result /= static_cast<double>(terms);
      if (fold == Fold::norm) result = std::sqrt(result);
      y[k] = static_cast<T>(result);
    }
  });
}

template void merge<float>(Fold, Lanes&, const Lanes&, std::size_t);
template void merge<double>(Fold, Lanes&, const Lanes&, std::size_t);
template void merge_beside<float>(Fold, Lanes&, std::size_t, std::size_t);
template void merge_beside<double>(Fold, Lanes&, std::size_t, std::size_t);
template void finish(Fold, const Lanes&, std::size_t, std::size_t, float*);
template void finish(Fold, const Lanes&, std::size_t, std::size_t, double*);

}  // namespace backdrop::kernels
#endif  // HWY_ONCE
