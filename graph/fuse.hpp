#pragma once

#include "fold_dropout.hpp"

namespace backdrop {

/// fuse, with a choice of the masks that make a dropout of what is written by hand.
Rewrite fuse(const Tape& tape, const FuseOptions& options, Masks masks);

}  // namespace backdrop
