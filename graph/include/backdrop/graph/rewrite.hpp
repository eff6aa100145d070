#pragma once

#include <backdrop/core/tape.hpp>
#include <memory>
#include <vector>

namespace backdrop {

/// A recording made from another one, and where the nodes of that one went.
class Rewrite {
 public:
  explicit Rewrite(const Tape& from) : from_(&from), tape_(std::make_unique<Tape>()), to_(from.size()) {}

  Tape& tape() { return *tape_; }
  const Tape& tape() const { return *tape_; }
  const Tape& from() const { return *from_; }
  /// The node that stands for `old` now, a null Var if none does. Throws TapeError for a Var of another tape.
  Var operator()(Var old) const {
    from_->check(old);
    return to_[old.index()];
  }
  Var at(std::size_t index) const { return to_[index]; }
  void map(std::size_t index, Var v) { to_[index] = v; }
  /// Records node `index` as it was, on the inputs it has now; names come with it.
  Var copy(std::size_t index);
  /// This rewrite followed by one of its tape.
  Rewrite then(Rewrite next) const;
  /// Records the body of composite node `index` on the inputs it has now, and maps the node to its result.
  Var open(std::size_t index);

 private:
  const Tape* from_;
  std::unique_ptr<Tape> tape_;
  std::vector<Var> to_;
};

}  // namespace backdrop
