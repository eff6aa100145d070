#include "kernels/reduce.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/fold_lanes.hpp"
#include "kernels/leading_fold.hpp"
#include "kernels/odometer.hpp"

namespace backdrop::kernels {

namespace {

// Where there are fewer outputs to share out than this, a reduced run is cut, too.
constexpr std::size_t kFew = 8;

// Contiguous rows up to this length are folded one by one, many of them side by side.
constexpr std::size_t kShort = 24;

// Where the greatest and the least elements are is found for so many columns at a time.
constexpr std::size_t kBeside = 64;

// x as matrices: `kept` places each with `folded` of them, of rows that are reduced and columns that are
// kept.
struct Plan {
  Odometer kept, folded;
  std::size_t rows = 1, columns = 1, row_stride = 1, column_stride = 1;

  void take_rows(const Runs::Run& run) { rows = run.extent, row_stride = run.stride; }
  void take_columns(const Runs::Run& run) { columns = run.extent, column_stride = run.stride; }
};

Plan plan_for(const Shape& shape, AxisSet reduced) {
  Runs runs;  // marked: reduced
  std::size_t stride = 1;
  for (std::size_t k = shape.rank(); k-- > 0;) {
    runs.add_axis(shape[k], stride, reduced[k]);
    stride *= static_cast<std::size_t>(shape[k]);
  }
  Plan plan;
  std::size_t inner = 0;
  if (inner < runs.size() && !runs[inner].marked) plan.take_columns(runs[inner++]);
  if (inner < runs.size()) plan.take_rows(runs[inner++]);
  if (inner == 1 && plan.rows <= kShort) {
    plan.column_stride = plan.rows;  // of a single row, too, which is folded as it would be beside others
    if (runs.size() > 1) plan.take_columns(runs[inner++]);
  }
  for (std::size_t k = runs.size(); k-- > inner;) {
    (runs[k].marked ? plan.folded : plan.kept).add_axis(runs[k].extent, runs[k].stride);
  }
  return plan;
}

template <class T>
class Reduction {
 public:
  Reduction(const Eval& e, Fold fold, AxisSet reduced)
      : fold_(fold),
        plan_(plan_for(*e.x[0].shape, reduced)),
        x_(e.x[0].as<const T>()),
        y_(e.y.as<T>()),
        terms_(plan_.folded.count() * plan_.rows) {
    panels_ = (plan_.columns + Lanes::kMax - 1) / Lanes::kMax;
  }

  void run(const Workers& workers) {
    const std::size_t units = plan_.kept.count() * panels_;
    const std::size_t unit_work = terms_ * std::min(plan_.columns, Lanes::kMax);
    if (units < kFew && plan_.folded.count() == 1 && unit_work >= 2 * kFoldGrain) {
      for (std::size_t unit = 0; unit < units; ++unit) cut_unit(unit, unit_work, workers);
      return;
    }
    const std::size_t grain = std::max<std::size_t>(1, kFoldGrain / unit_work);
    workers.for_each(units, grain, [&](std::size_t begin, std::size_t end) {
      Odometer kept = plan_.kept, folded = plan_.folded;
      kept.seek(begin / panels_);

      for (std::size_t unit = begin; unit < end; ++unit) {
        fold_unit(unit_at(unit), x_ + kept.offset(), folded);
        if ((unit + 1) % panels_ == 0) kept.next();
      }
    });
  }

 private:
  // A panel of columns of one kept place.
  struct Unit {
    std::size_t place, column, width;
  };
  Unit unit_at(std::size_t unit) const {
    const std::size_t column = unit % panels_ * Lanes::kMax;
    return {unit / panels_, column, std::min(Lanes::kMax, plan_.columns - column)};
  }

  Matrix matrix(std::size_t rows, std::size_t width) const {
    return {rows, width, plan_.row_stride, plan_.column_stride};
  }

  // `folded` walks once around.
  void fold_unit(const Unit& unit, const T* place, Odometer& folded) const {
    Lanes lanes;
    clear(fold_, lanes, unit.width);
    for (std::size_t n = folded.count(); n > 0; --n, folded.next()) {
      fold_into(fold_, lanes, place + folded.offset() + unit.column * plan_.column_stride,
                matrix(plan_.rows, unit.width));
    }
    store(unit, lanes);
  }

  void cut_unit(std::size_t index, std::size_t work, const Workers& workers) const {
    const Unit unit = unit_at(index);
    Odometer kept = plan_.kept;
    kept.seek(unit.place);
    const T* x = x_ + kept.offset() + unit.column * plan_.column_stride;
    const std::size_t share = std::min(kPieces, work / kFoldGrain);
    Lanes states[kPieces];
    fold_in_pieces<T>(fold_, states, unit.width, plan_.rows, (plan_.rows + share - 1) / share, workers,
                      [&](Lanes& lanes, std::size_t first, std::size_t count) {
                        fold_into(fold_, lanes, x + first * plan_.row_stride, matrix(count, unit.width));
                      });
    store(unit, states[0]);
  }

  void store(const Unit& unit, const Lanes& lanes) const {
    finish(fold_, lanes, unit.width, terms_, y_ + unit.place * plan_.columns + unit.column);
  }

  Fold fold_;
  Plan plan_;
  const T* x_;
  T* y_;
  std::size_t terms_;  // of each output
  std::size_t panels_;
};

// The reduction of no terms.
template <class T>
void fill_empty(const Eval& e, Fold fold) {
  const double value = fold == Fold::mean   ? std::numeric_limits<double>::quiet_NaN()
                       : fold == Fold::prod ? 1
                                            : 0;
  std::fill_n(e.y.as<T>(), e.y.numel(), static_cast<T>(value));
}

template <class T>
void reduce_as(const Eval& e, Fold fold, AxisSet axes) {
  if (e.x[0].numel() == 0) {
    fill_empty<T>(e, fold);
  } else if (!reduce_leading_axes<T>(e, fold, axes)) {
    Reduction<T>(e, fold, axes).run(e.workers);
  }
}

// Whether a later term takes the place of what was the extreme. The first NaN is one.
template <class T>
bool beats(T value, T held, int sign) {
  return (sign > 0 ? value > held : value < held) || (std::isnan(value) && !std::isnan(held));
}

template <class T>
std::int64_t first_extreme(const T* x, std::size_t count, int sign) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < count; ++k) {
    if (beats(x[k], x[best], sign)) best = k;
  }
  return static_cast<std::int64_t>(best);
}

// Of up to kBeside neighbouring columns, which memory has row by row.
template <class T>
void first_extremes(const T* x, std::size_t stride, std::size_t count, int sign, std::size_t width,
                    std::int64_t* y) {
  T held[kBeside];
  std::copy_n(x, width, held);
  std::fill_n(y, width, 0);
  for (std::size_t row = 1; row < count; ++row) {
    for (std::size_t k = 0; k < width; ++k) {
      const T value = x[row * stride + k];
      if (!beats(value, held[k], sign)) continue;
      held[k] = value;
      y[k] = static_cast<std::int64_t>(row);
    }
  }
}

template <class T>
void arg_extreme_as(const Eval& e, std::size_t axis, int sign) {
  const Shape& shape = *e.x[0].shape;
  const auto count = static_cast<std::size_t>(shape[axis]);
  std::size_t stride = 1;
  for (std::size_t k = axis + 1; k < shape.rank(); ++k) stride *= static_cast<std::size_t>(shape[k]);
  const T* x = e.x[0].as<const T>();
  auto* y = e.y.as<std::int64_t>();
  const std::size_t grain = std::max<std::size_t>(1, kFoldGrain / std::max<std::size_t>(1, count));
  e.workers.for_each(e.y.numel(), grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t k = begin, width = 0; k < end; k += width) {
      width = std::min({end - k, stride - k % stride, kBeside});
      const T* const first = x + k / stride * stride * count + k % stride;
      if (stride == 1) {
        y[k] = first_extreme(first, count, sign);
      } else {
        first_extremes(first, stride, count, sign, width, y + k);
      }
    }
  });
}

}  // namespace

AxisSet axis_set(std::span<const std::int64_t> axes) {
  AxisSet set;
  for (std::int64_t axis : axes) set.set(static_cast<std::size_t>(axis));
  return set;
}

AxisSet axes_summed(const Shape& from, const Shape& to) {
  AxisSet set;
  const std::size_t lead = from.rank() - to.rank();
  for (std::size_t k = 0; k < from.rank(); ++k) {
    if (k < lead || (to[k - lead] == 1 && from[k] != 1)) set.set(k);
  }
  return set;
}

void reduce(const Eval& e, Fold fold, AxisSet axes) {
  if (e.y.dtype == DType::f32) {
    reduce_as<float>(e, fold, axes);
  } else {
    reduce_as<double>(e, fold, axes);
  }
}

void arg_extreme(const Eval& e, std::size_t axis, int sign) {
  if (e.x[0].dtype == DType::f32) {
    arg_extreme_as<float>(e, axis, sign);
  } else {
    arg_extreme_as<double>(e, axis, sign);
  }
}

}  // namespace backdrop::kernels
