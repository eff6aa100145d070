#pragma once

#include <array>
#include <backdrop/graph/gradcheck.hpp>
#include <string>
#include <vector>

#include "mutants/mutant.hpp"

/// How many mutants each mode of the checker finds.
namespace backdrop {

inline constexpr std::size_t kModes = 5;

struct Tally {
  struct Cell {
    std::size_t found = 0, of = 0;
  };
  std::array<std::array<Cell, kModes>, kFaults> cells{};  ///< by fault and mode
  std::size_t mutants = 0;                                ///< that some sample tells from the right op
  std::vector<std::string> missed;                        ///< what a mode promised and did not find
};

/// Whether the mode must find such a mutant.
bool promises(CheckMode mode, const Mutant& mutant);

/// Every mutant of every op, on every sample that tells it from the right op.
Tally tally();

}  // namespace backdrop
