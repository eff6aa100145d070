#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/core/tape.hpp>

#include "refusals.hpp"

// Handles and their generations: what is seldom asked, and how a tape forgets.
namespace backdrop {

void Var::throw_null() { throw TapeError("var: this handle was never recorded; it belongs to no tape"); }

void Tape::check_input(const Op& op, Var v) const {
  if (!v) refusals::throw_unrecorded(op);
  check_slowly(v);
}

void Tape::check_slowly(Var v) const {
  if (v.tape_ == nullptr) Var::throw_null();
  if (v.tape_ != this) throw TapeError("tape: this Var belongs to another tape; record both on one tape");
  if (v.index_ >= size() || generation_of(v.index_) != v.generation_) {
    throw TapeError("tape: this Var is older than a clear() or rewind() of its tape; record it again");
  }
}

std::uint32_t Tape::older_generation_of(std::size_t index) const {
  const auto after = std::upper_bound(epochs_.begin(), epochs_.end(), index,
                                      [](std::size_t i, const auto& epoch) { return i < epoch.first; });
  return std::prev(after)->second;
}

Tape::Mark Tape::mark() const {
  const std::uint32_t generation = size() == 0 ? 0 : generation_of(size() - 1);
  return {size(),         ops_.size(), constants_.size(), variables_.size(),
          opened_.size(), generation,  words_.mark()};
}

void Tape::rewind(const Mark& mark) {
  if (mark.nodes > size() || (mark.nodes > 0 && generation_of(mark.nodes - 1) != mark.generation)) {
    throw TapeError("rewind: what the mark stands behind was dropped by a clear() or another rewind()");
  }
  nodes_.truncate(mark.nodes);
  if (mark.ops < ops_.size()) {
    ops_.resize(mark.ops);
    met_.fill(nullptr);
  }
  words_.rewind(mark.words);
  const auto index = static_cast<std::uint32_t>(mark.nodes);
  names_.erase(names_.lower_bound(index), names_.end());
  std::erase_if(variable_nodes_, [&](const auto& entry) { return entry.second >= index; });
  std::erase_if(input_nodes_, [&](const auto& entry) { return entry.second >= index; });
  constants_.erase(constants_.begin() + static_cast<std::ptrdiff_t>(mark.constants), constants_.end());
  opened_.erase(opened_.begin() + static_cast<std::ptrdiff_t>(mark.opened), opened_.end());
  variables_.erase(variables_.begin() + static_cast<std::ptrdiff_t>(mark.variables), variables_.end());
  ++generation_;
  epoch_ = mark.nodes;
  while (!epochs_.empty() && epochs_.back().first >= epoch_) epochs_.pop_back();
  epochs_.emplace_back(epoch_, generation_);
}

}  // namespace backdrop
