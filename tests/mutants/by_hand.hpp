#pragma once

#include <backdrop/backdrop.hpp>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

/// Wrong derivatives that no machine thinks of, one fault each.
namespace backdrop {

/// A recording with one faulty node in the middle, and where it is checked.
struct Subject {
  Tape tape;
  std::vector<Var> xs;
  Var y;
  GradcheckOptions options{};
};

struct HandMade {
  const char* op;                ///< the name of the faulty op
  const char* fault;             ///< what is wrong, in a few words
  std::vector<CheckMode> modes;  ///< must find it
  std::unique_ptr<Subject> (*make)(const HandMade&, DType);
  const Op* faulty;
  bool as_recorded = false;  ///< found only by a check in the dtype recorded: .promote = false
  bool large = false;        ///< takes a second in each mode
};

std::span<const HandMade> made_by_hand();
const HandMade& made_by_hand(std::string_view op);

}  // namespace backdrop
