#pragma once

#include <backdrop/graph/rewrite.hpp>

namespace backdrop {

/// Recognises dropout written by hand: scale(mul(x, mask), s), and with `relaxed` the spellings that differ
/// in last bits. The replaced nodes are gone unless something else uses them.
Rewrite fold_dropout(const Tape& tape, bool relaxed);

}  // namespace backdrop
