#include "kernels/convolution.hpp"

#include <hwy/cache_control.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "kernels/elementwise.hpp"
#include "kernels/product.hpp"
#include "kernels/window_grid.hpp"
#include "kernels/window_panel.hpp"

// A convolution is a product with the matrix of all windows, [C K, P] for a sample, which is K times as large
// as the sample. So a panel of it at a time is copied out (or added back), small enough to stay in the second
// cache until the product has read it (or written it): the copying is less than a tenth of the time then. How
// it is cut is decided by the shapes, so that threads change no bit.
namespace backdrop::kernels {

namespace {

// Of the matrix of windows: the rows and the bytes of a panel. Where other panels are computed one after
// another, since they end up in one place, what is shared among threads are fewer rows at a time.
struct PanelSize {
  std::size_t rows, bytes;
};
constexpr PanelSize kShared{640, std::size_t{1} << 19}, kInTurn{320, std::size_t{1} << 19};
// What is summed up over samples and panels is cut into this many parts, unless there are as many sums.
constexpr std::size_t kParts = 4;
constexpr std::size_t kLeastWidth = 64;              // a product of fewer columns is slow
constexpr std::size_t kWork = std::size_t{1} << 22;  // multiply-adds worth handing to a thread

std::size_t divide_up(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

// [0, extent) in `count` pieces of `width`, the last of which may have less.
struct Pieces {
  std::size_t extent, width, count;

  Pieces(std::size_t all, std::size_t wanted)
      : extent(all), width(divide_up(all, divide_up(all, wanted))), count(divide_up(all, width)) {}
  std::size_t begin(std::size_t piece) const { return piece * width; }
  std::size_t end(std::size_t piece) const { return std::min(begin(piece) + width, extent); }
};

// Extents of all three operands.
struct Layout {
  Layout(const Shape& x, const Shape& w, const Shape& y, const WindowLayout& layout, std::size_t number)
      : groups(number),
        samples(static_cast<std::size_t>(x[0])),
        channels(static_cast<std::size_t>(w[1])),
        outputs(static_cast<std::size_t>(y[1]) / number),
        grid(last(x, layout), last(w, layout), last(y, layout), layout),
        pointwise(is_pointwise(grid)) {}

  static WindowGrid::Ints last(const Shape& shape, const WindowLayout& layout) {
    return shape.extents().last(layout.stride.size());
  }
  // Whether the matrix of windows is the sample itself.
  static bool is_pointwise(const WindowGrid& grid) {
    return std::all_of(grid.axes.begin(), grid.axes.begin() + static_cast<std::ptrdiff_t>(grid.rank),
                       [](const WindowAxis& a) {
                         return a.kernel == 1 && a.stride == 1 && a.padding == 0 && a.count == a.extent;
                       });
  }

  bool has_no_products() const { return samples == 0 || groups * channels * outputs * grid.count() == 0; }
  std::size_t terms() const { return channels * grid.kernel; }  // of an output
  Pieces blocks(PanelSize size) const {                         // of the channels of a group
    return {channels, std::max<std::size_t>(size.rows / grid.kernel, 1)};
  }

  std::size_t groups, samples, channels, outputs;  // the last two in a group
  WindowGrid grid;
  bool pointwise;
};

// How the columns of the matrix of windows are cut: into rows of windows, or these into columns.
struct Panels {
  Panels(const WindowGrid& grid, std::size_t wanted)
      : columns(grid.row, wanted), rows(grid.rows, std::max<std::size_t>(wanted / grid.row, 1)) {}

  std::size_t count() const { return rows.count * columns.count; }
  std::size_t width() const { return rows.width * columns.width; }
  WindowPart operator[](std::size_t panel) const {
    const std::size_t r = panel / columns.count, c = panel % columns.count;
    return {rows.begin(r), rows.end(r), columns.begin(c), columns.end(c)};
  }

  Pieces columns, rows;
};

Panels panels_of(const Layout& l, std::size_t channels, std::size_t element_size, PanelSize size) {
  const std::size_t fit = size.bytes / (channels * l.grid.kernel * element_size);
  return {l.grid, std::max(fit, kLeastWidth)};
}

std::size_t first_column(const WindowGrid& grid, const WindowPart& part) {
  return part.first_row * grid.row + part.first_column;
}

void clear(const Array& y) {
  if (y.numel() > 0) std::memset(y.data, 0, byte_size(y.dtype, y.numel()));
}

// What a thread needs for one panel after another, and the one that asks, for what is summed in parts. The
// memory is the thread's, and stays.
class PanelWork {
 public:
  explicit PanelWork(const WindowGrid& grid) : grid_(grid) { memory().runs.clear(); }

  // Where the elements of a panel come from; the same for all channels, and often for the next panel.
  std::span<const PanelRun> runs(const WindowPart& part) {
    std::vector<PanelRun>& runs = memory().runs;
    if (!runs.empty() && part == part_) return runs;
    runs.clear();
    part_ = part;
    first_ = end_ = 0;
    for (std::size_t k = 0; k < grid_.kernel; ++k) {
      for_each_row(grid_, k, part, [&](std::size_t at, const WindowRun& run) {
        const std::int64_t inside = run.end - run.begin;
        const PanelRun row{k * part.count() + at, static_cast<std::size_t>(run.begin),
                           static_cast<std::size_t>(inside), static_cast<std::size_t>(run.count - run.end),
                           run.from};
        if (!runs.empty() && runs.back().goes_on_with(row, grid_.stride())) {
          ++runs.back().rows;
        } else {
          runs.push_back(row);
        }
        if (inside == 0) return;
        first_ = end_ == 0 ? run.from : std::min(first_, run.from);
        end_ = std::max(end_, run.from + (inside - 1) * grid_.stride() + 1);
      });
    }
    return runs;
  }

  // Asks for what those runs need of another channel, at x: channels lie far from one another.
  template <class T>
  void ask_for(const T* x) const {
    constexpr std::int64_t kLine = 64 / sizeof(T);
    for (std::int64_t at = first_; at < end_; at += kLine) hwy::Prefetch(x + at);
  }

  template <class T>
  static T* panel(std::size_t elements) {
    return memory().panel.of<T>(elements);
  }
  template <class T>
  static T* sums(std::size_t elements) {
    return memory().sums.of<T>(elements);
  }

 private:
  class Buffer {
   public:
    template <class T>
    T* of(std::size_t elements) {
      const std::size_t bytes = elements * sizeof(T);
      if (bytes_ < bytes) {
        bytes_ = 0;
        data_.reset();
        data_.reset(operator new(bytes, kAligned));
        bytes_ = bytes;
      }
      return static_cast<T*>(data_.get());
    }

   private:
    static constexpr std::align_val_t kAligned{64};
    struct Free {
      void operator()(void* p) const { operator delete(p, kAligned); }
    };
    std::unique_ptr<void, Free> data_;
    std::size_t bytes_ = 0;
  };
  struct Memory {
    std::vector<PanelRun> runs;
    Buffer panel, sums;
  };
  static Memory& memory() {
    thread_local Memory memory;
    return memory;
  }

  const WindowGrid& grid_;
  WindowPart part_{0, 0, 0, 0};
  std::int64_t first_ = 0, end_ = 0;  // what the runs reach from and to
};

// A panel of the matrix of windows of `channels` channels: where it is, and from one row to the next.
template <class T>
struct Matrix {
  T* data;
  std::size_t ld;
};

template <class T>
Matrix<const T> windows_of(const Layout& l, PanelWork& work, const WindowPart& part, const T* x,
                           std::size_t channels) {
  if (l.pointwise) return {x + first_column(l.grid, part), l.grid.count()};
  const std::size_t width = part.count(), size = l.grid.kernel * width;
  const std::span<const PanelRun> runs = work.runs(part);
  T* const panel = PanelWork::panel<T>(channels * size);
  for (std::size_t c = 0; c < channels; ++c) {
    if (c + 1 < channels) work.ask_for(x + (c + 1) * l.grid.inside);
    copy_windows(runs, l.grid.stride(), x + c * l.grid.inside, panel + c * size);
  }
  return {panel, width};
}

template <class T>
void add_panel(const Layout& l, PanelWork& work, const WindowPart& part, T* panel, T* x,
               std::size_t channels) {
  const std::span<const PanelRun> runs = work.runs(part);
  for (std::size_t c = 0; c < channels; ++c) {
    if (c + 1 < channels) work.ask_for(x + (c + 1) * l.grid.inside);
    add_windows(runs, l.grid.stride(), panel + c * l.grid.kernel * part.count(), x + c * l.grid.inside);
  }
}

// Calls f(piece, panel_work) for every piece, each of about so many multiply-adds.
template <class F>
void for_each_piece(const Eval& e, const Layout& l, std::size_t pieces, std::size_t work, F f) {
  e.workers.for_each(pieces, std::max<std::size_t>(kWork / work, 1), [&](std::size_t begin, std::size_t end) {
    PanelWork panel_work(l.grid);
    for (std::size_t piece = begin; piece < end; ++piece) f(piece, panel_work);
  });
}

// For a sample, a group and a panel: y [outputs, panel] = w [outputs, terms] windows [terms, panel].
template <class T>
void convolve(const Eval& e, const Layout& l) {
  const Pieces blocks = l.blocks(kShared);
  const Panels panels = panels_of(l, blocks.width, sizeof(T), kShared);
  const std::size_t terms = l.terms(), pieces = l.samples * l.groups * panels.count();
  const auto multiply_panel = [&](std::size_t piece, PanelWork& panel_work) {
    const std::size_t at = piece / panels.count(), group = at % l.groups;
    const WindowPart part = panels[piece % panels.count()];
    const T* const x = e.x[0].as<const T>() + at * l.channels * l.grid.inside;
    const T* const w = e.x[1].as<const T>() + group * l.outputs * terms;
    T* const y = e.y.as<T>() + at * l.outputs * l.grid.count() + first_column(l.grid, part);
    for (std::size_t block = 0; block < blocks.count; ++block) {
      const std::size_t first = blocks.begin(block), channels = blocks.end(block) - first;
      const Matrix<const T> windows = windows_of(l, panel_work, part, x + first * l.grid.inside, channels);
      multiply(Product<T>{.a = w + first * l.grid.kernel,
                          .b = windows.data,
                          .y = y,
                          .m = l.outputs,
                          .n = part.count(),
                          .k = channels * l.grid.kernel,
                          .lda = terms,
                          .ldb = windows.ld,
                          .ldy = l.grid.count(),
                          .add = block > 0});
    }
  };
  for_each_piece(e, l, pieces, l.outputs * terms * panels.width(), multiply_panel);
}

// For a sample, a group and some of its channels, panel by panel: windows = w' y are added to x.
template <class T>
void convolve_transposed(const Eval& e, const Layout& l) {
  const Pieces blocks = l.blocks(kInTurn);
  const Panels panels = panels_of(l, blocks.width, sizeof(T), kInTurn);
  const std::size_t terms = l.terms(), places = l.grid.count(), pieces = l.samples * l.groups * blocks.count;
  const auto multiply_block = [&](std::size_t piece, PanelWork& panel_work) {
    const std::size_t at = piece / blocks.count, group = at % l.groups, block = piece % blocks.count;
    const std::size_t first = blocks.begin(block), channels = blocks.end(block) - first;
    const T* const y = e.x[0].as<const T>() + at * l.outputs * places;
    const T* const w = e.x[1].as<const T>() + group * l.outputs * terms + first * l.grid.kernel;
    T* const x = e.y.as<T>() + (at * l.channels + first) * l.grid.inside;
    if (!l.pointwise) std::fill_n(x, channels * l.grid.inside, T{0});
    for (std::size_t panel = 0; panel < panels.count(); ++panel) {
      const WindowPart part = panels[panel];
      const std::size_t column = first_column(l.grid, part), width = part.count();
      const Matrix<T> windows = l.pointwise
                                    ? Matrix<T>{x + column, places}
                                    : Matrix<T>{PanelWork::panel<T>(channels * l.grid.kernel * width), width};
      multiply(Product<T>{.a = w,
                          .b = y + column,
                          .y = windows.data,
                          .m = channels * l.grid.kernel,
                          .n = width,
                          .k = l.outputs,
                          .ta = true,
                          .lda = terms,
                          .ldb = places,
                          .ldy = windows.ld});
      if (!l.pointwise) add_panel<T>(l, panel_work, part, windows.data, x, channels);
    }
  };
  for_each_piece(e, l, pieces, l.outputs * blocks.width * l.grid.kernel * places, multiply_block);
}

// For a group and some of its channels, sample by sample and panel by panel: y windows' is added up, the
// first of these products in w; where they are cut into parts, the sums of other parts are added to it in
// order.
template <class T>
void multiply_windows(const Eval& e, const Layout& l) {
  const Pieces blocks = l.blocks(kShared);
  const Panels panels = panels_of(l, blocks.width, sizeof(T), kShared);
  const std::size_t terms = l.terms(), places = l.grid.count(), units = l.groups * blocks.count;
  const std::size_t products = l.samples * panels.count(), numbers = e.y.numel();
  const Pieces parts(products, divide_up(products, divide_up(kParts, units)));
  T* const sums = PanelWork::sums<T>((parts.count - 1) * numbers);
  const auto multiply_part = [&](std::size_t piece, PanelWork& panel_work) {
    const std::size_t part = piece / units, group = piece % units / blocks.count;
    const std::size_t first = blocks.begin(piece % blocks.count);
    const std::size_t channels = blocks.end(piece % blocks.count) - first;
    T* const w = (part == 0 ? e.y.as<T>() : sums + (part - 1) * numbers) + group * l.outputs * terms +
                 first * l.grid.kernel;
    for (std::size_t k = parts.begin(part); k < parts.end(part); ++k) {
      const std::size_t at = k / panels.count() * l.groups + group;
      const WindowPart columns = panels[k % panels.count()];
      const T* const x = e.x[0].as<const T>() + (at * l.channels + first) * l.grid.inside;
      const T* const y = e.x[1].as<const T>() + at * l.outputs * places + first_column(l.grid, columns);
      const Matrix<const T> windows = windows_of(l, panel_work, columns, x, channels);
      multiply(Product<T>{.a = y,
                          .b = windows.data,
                          .y = w,
                          .m = l.outputs,
                          .n = channels * l.grid.kernel,
                          .k = columns.count(),
                          .tb = true,
                          .lda = places,
                          .ldb = windows.ld,
                          .ldy = terms,
                          .add = k > parts.begin(part)});
    }
  };
  for_each_piece(e, l, parts.count * units,
                 parts.width * panels.width() * l.outputs * blocks.width * l.grid.kernel, multiply_part);
  T* const w = e.y.as<T>();
  for (std::size_t part = 1; part < parts.count; ++part) {
    const T* const sum = sums + (part - 1) * numbers;
    for (std::size_t k = 0; k < numbers; ++k) w[k] += sum[k];
  }
}

}  // namespace

void convolution(const Eval& e, const WindowLayout& layout, std::size_t groups) {
  const Layout l(*e.x[0].shape, *e.x[1].shape, *e.y.shape, layout, groups);
  if (l.has_no_products()) return clear(e.y);
  with_float(e.y.dtype, [&]<class T>(T) { convolve<T>(e, l); });
}

void transposed_convolution(const Eval& e, const WindowLayout& layout, std::size_t groups) {
  const Layout l(*e.y.shape, *e.x[1].shape, *e.x[0].shape, layout, groups);
  if (l.has_no_products()) return clear(e.y);
  with_float(e.y.dtype, [&]<class T>(T) { convolve_transposed<T>(e, l); });
}

void window_product(const Eval& e, const WindowLayout& layout, std::size_t groups) {
  const Layout l(*e.x[0].shape, *e.y.shape, *e.x[1].shape, layout, groups);
  if (l.has_no_products()) return clear(e.y);
  with_float(e.y.dtype, [&]<class T>(T) { multiply_windows<T>(e, l); });
}

}  // namespace backdrop::kernels
