#include "kernels/window_panel.hpp"

#include <algorithm>

// Highway compiles what stands before HWY_ONCE once per instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/window_panel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace backdrop::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// to[k] = f(tag, to + k, from + k) for k < n, in vectors, of which the last may overlap the one before: what
// it stores was computed from what stood there at first.
template <class D, class T, class F>
HWY_INLINE void in_vectors(D d, std::size_t n, const T* from, T* to, F f) {
  const std::size_t lanes = hn::Lanes(d), last = n - lanes;
  const auto end = f(d, to + last, from + last);
  for (std::size_t k = 0; k < last; k += lanes) hn::StoreU(f(d, to + k, from + k), d, to + k);
  hn::StoreU(end, d, to + last);
}

// Rows are short: those of images are often less than a vector, or not much more.
template <class T, class F>
HWY_INLINE void map_row(std::size_t n, const T* from, T* to, F f) {
  const hn::ScalableTag<T> whole;
  const hn::CappedTag<T, 8> eight;
  const hn::CappedTag<T, 4> four;
  const hn::CappedTag<T, 1> one;
  if (n >= hn::Lanes(whole)) return in_vectors(whole, n, from, to, f);
  if (n >= hn::Lanes(eight)) return in_vectors(eight, n, from, to, f);
  if (n >= hn::Lanes(four)) return in_vectors(four, n, from, to, f);
  for (std::size_t k = 0; k < n; ++k) hn::StoreU(f(one, to + k, from + k), one, to + k);
}

// Some columns of the rows of a run, which lie outside of the array. They are few, one or two: row by row,
// compilers would call memset for each.
template <class T>
HWY_INLINE void clear(const PanelRun& run, T* first, std::size_t columns, std::size_t rows) {
  for (std::size_t k = 0; k < columns; ++k) {
    for (std::size_t r = 0; r < rows; ++r) first[r * run.width() + k] = 0;
  }
}

template <class T>
void copy(std::span<const PanelRun> runs, std::int64_t stride, const T* x, T* panel) {
  for (const PanelRun& run : runs) {
    T* const to = panel + run.at + run.before;
    const T* const from = x + run.from;
    if (stride == 1) {
      map_row(run.length(), from, to,
              [](auto d, const T*, const T* at) HWY_ATTR { return hn::LoadU(d, at); });
    } else {
      for (std::size_t k = 0; k < run.inside; ++k) to[k] = from[static_cast<std::int64_t>(k) * stride];
    }
    clear(run, to - run.before, run.before, run.rows);
    clear(run, to + run.inside, run.behind, run.rows);
  }
}

template <class T>
void add(std::span<const PanelRun> runs, std::int64_t stride, T* panel, T* x) {
  // What lies between the rows of a run is added, too: 0. For all of them at first, since vectors are slow to
  // load while parts of them have just been stored.
  for (const PanelRun& run : runs) {
    clear(run, panel + run.at + run.before + run.inside, run.behind + run.before, run.rows - 1);
  }
  for (const PanelRun& run : runs) {
    const T* const from = panel + run.at + run.before;
    T* to = x + run.from;
    if (stride == 1) {
      map_row(run.length(), from, to, [](auto d, const T* at, const T* more) HWY_ATTR {
        return hn::Add(hn::LoadU(d, at), hn::LoadU(d, more));
      });
    } else {
      for (std::size_t k = 0; k < run.inside; ++k) to[static_cast<std::int64_t>(k) * stride] += from[k];
    }
  }
}

void copy_f32(std::span<const PanelRun> runs, std::int64_t stride, const float* x, float* panel) {
  copy(runs, stride, x, panel);
}
void copy_f64(std::span<const PanelRun> runs, std::int64_t stride, const double* x, double* panel) {
  copy(runs, stride, x, panel);
}
void add_f32(std::span<const PanelRun> runs, std::int64_t stride, float* panel, float* x) {
  add(runs, stride, panel, x);
}
void add_f64(std::span<const PanelRun> runs, std::int64_t stride, double* panel, double* x) {
  add(runs, stride, panel, x);
}

}  // namespace backdrop::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace backdrop::kernels {

HWY_EXPORT(copy_f32);
HWY_EXPORT(copy_f64);
HWY_EXPORT(add_f32);
HWY_EXPORT(add_f64);

void copy_windows(std::span<const PanelRun> runs, std::int64_t stride, const float* x, float* panel) {
  HWY_DYNAMIC_DISPATCH(copy_f32)(runs, stride, x, panel);
}
void copy_windows(std::span<const PanelRun> runs, std::int64_t stride, const double* x, double* panel) {
  HWY_DYNAMIC_DISPATCH(copy_f64)(runs, stride, x, panel);
}
void add_windows(std::span<const PanelRun> runs, std::int64_t stride, float* panel, float* x) {
  HWY_DYNAMIC_DISPATCH(add_f32)(runs, stride, panel, x);
}
void add_windows(std::span<const PanelRun> runs, std::int64_t stride, double* panel, double* x) {
  HWY_DYNAMIC_DISPATCH(add_f64)(runs, stride, panel, x);
}

}  // namespace backdrop::kernels
#endif  // HWY_ONCE
