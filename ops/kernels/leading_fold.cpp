#include "kernels/leading_fold.hpp"

#include <algorithm>
#include <new>

#include "kernels/elementwise.hpp"
#include "kernels/fold_lanes.hpp"

namespace backdrop::kernels {

namespace {

// What has fewer elements is not worth cutting.
constexpr std::size_t kLeast = 1024;

// x reduced over leading axes: a matrix whose rows are folded. The state of an output, or of up to kMax
// neighbours of it, are Lanes; in narrow matrices several rows lie side by side there.
class LeadingFold {
 public:
  LeadingFold(Fold fold, const Shape& x, AxisSet reduced) : fold_(fold) {
    while (axes_ < x.rank() && reduced[axes_]) rows_ *= static_cast<std::size_t>(x[axes_++]);
    for (std::size_t k = axes_; k < x.rank(); ++k) columns_ *= static_cast<std::size_t>(x[k]);
    const bool sums = fold == Fold::sum || fold == Fold::mean || fold == Fold::norm;
    if (!sums || reduced.count() != axes_ || rows_ * columns_ < kLeast) axes_ = 0;
    while (2 * beside_ * columns_ <= kWide && 2 * beside_ <= rows_) beside_ *= 2;
  }

  std::size_t axes() const { return axes_; }
  std::size_t fewest() const { return beside_; }
  std::size_t piece() const {
    const std::size_t work = rows_ * std::min(columns_, Lanes::kMax);
    const std::size_t share = std::clamp<std::size_t>(work / kFoldGrain, 1, kPieces);
    const std::size_t multiple = Folding::kTimes * fewest();
    const std::size_t rows = (rows_ + share - 1) / share;
    return std::min((rows + multiple - 1) / multiple * multiple, rows_);
  }
  std::size_t units() const { return (columns_ + Lanes::kMax - 1) / Lanes::kMax; }

  void begin(Lanes& state, std::size_t unit) const { clear(fold_, state, lanes(unit)); }

  template <class T>
  void take(const T* x, std::size_t rows, Lanes& state, std::size_t unit) const {
    if (beside_ == 1) {
      fold_into(fold_, state, x + unit * Lanes::kMax, {rows, lanes(unit), columns_, 1});
      return;
    }
    const std::size_t wide = beside_ * columns_, whole = rows / beside_, rest = rows % beside_ * columns_;
    if (whole > 0) fold_into(fold_, state, x, {whole, wide, wide, 1});
    if (rest > 0) fold_into(fold_, state, x + whole * wide, {1, rest, rest, 1});
  }

  template <class T>
  void add(Lanes& state, const Lanes& next, std::size_t unit) const {
    merge<T>(fold_, state, next, lanes(unit));
  }
  template <class T>
  void finish(Lanes& state, std::size_t unit, T* y) const {
    merge_beside<T>(fold_, state, beside_, columns_);
    kernels::finish(fold_, state, std::min(lanes(unit), columns_), rows_, y + unit * Lanes::kMax);
  }

  template <class T>
  void run(const T* x, T* y, const Workers& workers) const {
    for (std::size_t unit = 0; unit < units(); ++unit) {
      Lanes states[kPieces];
      fold_in_pieces<T>(fold_, states, lanes(unit), rows_, piece(), workers,
                        [&](Lanes& state, std::size_t first, std::size_t count) {
                          take(x + first * columns_, count, state, unit);
                        });
      finish(states[0], unit, y);
    }
  }

 private:
  std::size_t lanes(std::size_t unit) const {
    return beside_ > 1 ? beside_ * columns_ : std::min(Lanes::kMax, columns_ - unit * Lanes::kMax);
  }

  Fold fold_;
  std::size_t axes_ = 0, rows_ = 1, columns_ = 1, beside_ = 1;
};

}  // namespace

template <class T>
bool reduce_leading_axes(const Eval& e, Fold fold, AxisSet reduced) {
  const LeadingFold leading(fold, *e.x[0].shape, reduced);
  if (leading.axes() == 0) return false;
  leading.run(e.x[0].as<const T>(), e.y.as<T>(), e.workers);
  return true;
}
template bool reduce_leading_axes<float>(const Eval&, Fold, AxisSet);
template bool reduce_leading_axes<double>(const Eval&, Fold, AxisSet);

namespace folding {

namespace {

// The lanes of each unit lie behind it.
struct alignas(64) State {
  LeadingFold fold;

  Lanes& operator[](std::size_t unit) { return reinterpret_cast<Lanes*>(this + 1)[unit]; }
  std::size_t bytes() const { return sizeof *this + fold.units() * sizeof(Lanes); }
};

}  // namespace

std::size_t axes(const Shape& x, AxisSet reduced) { return LeadingFold(Fold::sum, x, reduced).axes(); }
std::size_t fewest(const Shape& x, AxisSet reduced) { return LeadingFold(Fold::sum, x, reduced).fewest(); }
std::size_t piece(const Shape& x, AxisSet reduced) { return LeadingFold(Fold::sum, x, reduced).piece(); }
std::size_t state_bytes(const Shape& x, AxisSet reduced) {
  return State{LeadingFold(Fold::sum, x, reduced)}.bytes();
}

void begin(const Call& c, Fold fold, AxisSet reduced, void* state) {
  State& s = *new (state) State{LeadingFold(fold, c.shape(0), reduced)};
  for (std::size_t unit = 0; unit < s.fold.units(); ++unit) s.fold.begin(s[unit], unit);
}

void take(const Array& x, void* state) {
  State& s = *static_cast<State*>(state);
  std::size_t rows = 1;
  for (std::size_t k = 0; k < s.fold.axes(); ++k) rows *= static_cast<std::size_t>((*x.shape)[k]);
  with_float(x.dtype, [&]<class T>(T) {
    for (std::size_t unit = 0; unit < s.fold.units(); ++unit) {
      s.fold.take(x.as<const T>(), rows, s[unit], unit);
    }
  });
}

void finish(const Array& y, void* states, std::size_t count) {
  State& s = *static_cast<State*>(states);
  const auto next = [&, bytes = s.bytes()](std::size_t k) -> State& {
    return *reinterpret_cast<State*>(static_cast<std::byte*>(states) + k * bytes);
  };
  with_float(y.dtype, [&]<class T>(T) {
    for (std::size_t unit = 0; unit < s.fold.units(); ++unit) {
      for (std::size_t k = 1; k < count; ++k) s.fold.add<T>(s[unit], next(k)[unit], unit);
      s.fold.finish(s[unit], unit, y.as<T>());
    }
  });
}

}  // namespace folding

}  // namespace backdrop::kernels
