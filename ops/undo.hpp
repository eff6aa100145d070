#pragma once

#include <backdrop/core/tape.hpp>
#include <utility>

namespace backdrop {

/// What `f` returns; when it throws, everything it recorded is dropped. For public functions that record more
/// than one node, so that an error leaves the tape as it was.
template <class F>
auto all_or_nothing(Tape& tape, F&& f) {
  const Tape::Mark before = tape.mark();
  try {
    return std::forward<F>(f)();
  } catch (...) {
    tape.rewind(before);
    throw;
  }
}

}  // namespace backdrop
