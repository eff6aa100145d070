#pragma once

#include <backdrop/core/tape.hpp>

namespace backdrop {

/// Calls `record`, and drops the nodes it had recorded when it throws: for functions that record several.
template <class Record>
auto all_or_nothing(Tape& tape, Record record) {
  const Tape::Mark before = tape.mark();
  try {
    return record();
  } catch (...) {
    tape.rewind(before);
    throw;
  }
}

}  // namespace backdrop
