#pragma once

#include <backdrop/graph/rewrite.hpp>
#include <cstdint>

namespace backdrop {

/// Which masks those of a dropout written by hand may be.
enum class Masks : std::uint8_t {
  any,    ///< the values are those of dropout whatever the mask is
  drawn,  ///< made of random numbers, and numbers that do not change: other masks may mean padding
};

/// Recognises dropout written by hand: scale(mul(x, mask), s), and with `relaxed` the spellings that differ
/// in last bits. The replaced nodes are gone unless something else uses them.
Rewrite fold_dropout(const Tape& tape, bool relaxed, Masks masks);

}  // namespace backdrop
