#include <fmt/format.h>

#include <algorithm>
#include <backdrop/core/large_vector.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/core/workers.hpp>
#include <bit>
#include <optional>

#include "laws.hpp"

namespace backdrop::laws {

namespace {

// Calls the kernel with rows [first, first + count) of the leading axes in place of all.
class Panels {
 public:
  Panels(Case& c, const Call& call) : call_(call), value_(value_of(c, call.y)) {
    for (std::size_t k = 0; k < call.arity(); ++k) operands_.push_back(value_of(c, call[k]));
  }

  const Tensor& value() const { return value_; }

  // How many leading axes all have in common, and are worked on position by position.
  std::size_t axes() const {
    const Op& op = *call_.node.op;
    std::size_t axes = value_.shape().rank();
    for (std::size_t k = 0; k < call_.arity(); ++k) {
      axes = std::min(axes, op.block != nullptr ? operands_[k].shape().rank() : op.leading(call_, k));
    }
    return axes;
  }

  // What is wrong with the pieces that positions are folded in, or "".
  std::string wrong_pieces() const {
    const Folding& folding = *call_.node.op->folding;
    const std::size_t fewest = folding.fewest(call_), piece = folding.piece(call_);
    const std::size_t positions = Shape(operands_[0].shape().extents().first(folding.axes(call_))).numel();
    if (!std::has_single_bit(fewest)) return fmt::format("fewest is {}, no power of 2", fewest);
    if (piece >= positions || (piece > 0 && piece % (Folding::kTimes * fewest) == 0)) return "";
    return fmt::format("a piece has {} of {} positions, no multiple of {} times the fewest, which are {}",
                       piece, positions, Folding::kTimes, fewest);
  }

  // The value, folded from `times` the fewest positions at a time.
  Tensor folded(std::size_t times) const {
    const Folding& folding = *call_.node.op->folding;
    const Tensor& x = operands_[0];
    const std::size_t axes = folding.axes(call_), piece = folding.piece(call_);
    const std::size_t positions = Shape(x.shape().extents().first(axes)).numel();
    const std::size_t bytes = folding.state_bytes(call_), pieces = (positions + piece - 1) / piece;
    LargeVector<std::byte> states(bytes * pieces);
    for (std::size_t k = 0; k < pieces; ++k) {
      void* const state = states.data() + k * bytes;
      folding.begin(call_, state);
      const std::size_t end = std::min(positions, (k + 1) * piece);
      const std::size_t count = times * folding.fewest(call_);
      for (std::size_t first = k * piece; first < end; first += count) {
        const Rows rows{axes, positions, first, std::min(count, end - first)};
        const Shape some = rows.shape(x.shape());
        folding.take(call_, rows.part(x, const_cast<void*>(x.bytes()), some), state);
      }
    }
    Tensor y = Tensor::uninitialized(value_.shape(), value_.dtype());
    folding.finish(call_, Array{y.mutable_bytes(), &value_.shape(), value_.dtype()}, states.data(), pieces);
    return y;
  }

  // The value, computed by panels of `count` positions, from those of the operands or from whole operands;
  // none where panels would split the bytes of a mask.
  std::optional<Tensor> computed(std::size_t axes, std::size_t count, bool whole) const {
    const std::size_t positions = Shape(value_.shape().extents().first(axes)).numel();
    Tensor y = Tensor::uninitialized(value_.shape(), value_.dtype());
    void* const to = y.mutable_bytes();
    for (std::size_t first = 0; first < positions; first += count) {
      const Rows rows{axes, positions, first, std::min(count, positions - first)};
      std::vector<Shape> shapes{rows.shape(value_.shape())};
      for (const Tensor& x : operands_) shapes.push_back(whole ? x.shape() : rows.shape(x.shape()));
      std::vector<Array> arrays{rows.part(y, to, shapes[0])};
      for (std::size_t k = 0; k < operands_.size(); ++k) {
        void* const x = const_cast<void*>(operands_[k].bytes());
        arrays.push_back(whole ? Array{x, &shapes[k + 1], operands_[k].dtype()}
                               : rows.part(operands_[k], x, shapes[k + 1]));
      }
      if (std::ranges::any_of(arrays, [](const Array& a) { return a.data == nullptr; })) return std::nullopt;
      call(arrays, first * (y.numel() / positions));
    }
    return y;
  }

 private:
  struct Rows {
    std::size_t axes, positions, first, count;

    Shape shape(const Shape& whole) const {
      std::vector<std::int64_t> extents(whole.begin(), whole.end());
      std::fill_n(extents.begin(), axes, 1);
      extents[axes - 1] = static_cast<std::int64_t>(count);
      return Shape(std::move(extents));
    }
    Array part(const Tensor& t, void* bytes, const Shape& some) const {
      const std::size_t before = first * (t.numel() / positions);
      if (t.dtype() == DType::mask && before % 8 != 0) return {nullptr, &some, t.dtype()};
      return {static_cast<std::byte*>(bytes) + byte_size(t.dtype(), before), &some, t.dtype()};
    }
  };

  void call(const std::vector<Array>& arrays, std::uint64_t first) const {
    const Op& op = *call_.node.op;
    if (op.block == nullptr) {
      op.eval(Eval{call_, arrays[0], arrays.data() + 1, alone_, kStep, first});
      return;
    }
    std::vector<const void*> x;
    for (std::size_t k = 1; k < arrays.size(); ++k) x.push_back(arrays[k].data);
    op.block(Block{call_, arrays[0].data, x.data(), arrays[0].numel(), first, kStep});
  }

  Call call_;
  Tensor value_;
  std::vector<Tensor> operands_;
  Workers alone_{1};
};

// Whether the value is the same by panels of several sizes, and whether any such could be computed.
struct Looked {
  bool found = false, failed = false;
};
Looked look_at_panels(Bench& b, Case& c, const Panels& panels, std::size_t axes, bool whole) {
  Looked out;
  for (const std::size_t count : {std::size_t{1}, std::size_t{3}, std::size_t{8}, std::size_t{200}}) {
    const std::optional<Tensor> found = panels.computed(axes, count, whole);
    if (!found) continue;
    out.found = true;
    if (found->same_bits(panels.value())) continue;
    const std::string cut = whole ? fmt::format("{} element(s) at a time, from whole operands,", count)
                                  : fmt::format("by {} position(s) of {} leading axes", count, axes);
    b.fail(c, fmt::format("{} it is {}, and whole {}", cut, to_string(*found), to_string(panels.value())));
    out.failed = true;
    break;
  }
  return out;
}

}  // namespace

void panels(Bench& b) {
  const Op& op = b.op();
  const bool repeats = op.repeats != nullptr && op.block == nullptr;
  if (op.block == nullptr && !op.by_panels && !repeats && op.folding == nullptr) return;
  b.for_each({Variant::as_written, Variant::large}, [&](Case& c) {
    const Call call = c.tape().call(c.at);
    const Panels panels(c, call);
    const std::size_t rank = panels.value().shape().rank();
    if (panels.value().numel() == 0) return false;
    if (op.folding != nullptr && op.folding->axes(call) > 0 && call.shape(0).numel() > 0) {
      if (const std::string wrong = panels.wrong_pieces(); !wrong.empty()) {
        b.fail(c, wrong);
        return true;
      }
      for (const std::size_t times : {std::size_t{1}, std::size_t{2}, Folding::kTimes}) {
        const Tensor found = panels.folded(times);
        if (found.same_bits(panels.value())) continue;
        b.fail(c, fmt::format("folded from {} positions at a time it is {}, and whole {}",
                              times * op.folding->fewest(call), to_string(found), to_string(panels.value())));
        return true;
      }
      return true;
    }
    bool looked = false;
    if (repeats && rank > 0) {
      const Looked at = look_at_panels(b, c, panels, rank, true);
      if (at.failed) return true;
      looked = at.found;
    }
    const std::size_t most = op.block != nullptr || op.by_panels ? panels.axes() : 0;
    for (std::size_t axes = 1; axes <= most; ++axes) {
      const Looked at = look_at_panels(b, c, panels, axes, false);
      if (at.failed) return true;
      looked = looked || at.found;
    }
    return looked;
  });
}

}  // namespace backdrop::laws
