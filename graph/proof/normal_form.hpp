#pragma once

#include <backdrop/core/tape.hpp>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "proof/algebra.hpp"

namespace backdrop::proof {

/// The normal forms of the nodes of recordings without composites, all in one algebra: nodes of equal ids are
/// the same function of the leaves. Leaves are the same where they are inputs of one name and type, constants
/// of the same bits, or one Variable.
class NormalForm {
 public:
  /// One id for each node. `same_as` tells of Variables that stand for others.
  std::vector<Id> of(const Tape& tape, const std::map<const void*, const void*>& same_as = {});

  Algebra& algebra() { return algebra_; }
  /// In words: "2 * g * mask"; what is long is cut.
  std::string text(Id value) const;

 private:
  friend struct Application;

  Id of_leaf(const Tape& tape, std::size_t index, const std::map<const void*, const void*>& same_as);

  Algebra algebra_;
  std::unordered_set<Id> bits_, integers_;  // values that are 0 or 1, or integers, because their dtype was
};

}  // namespace backdrop::proof
