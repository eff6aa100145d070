#pragma once

#include <backdrop/ops/loss.hpp>

namespace backdrop {

/// The losses of elements brought to what `how` asks for. Throws ShapeError for the batchmean of a rank 0.
Var reduce_losses(Var losses, Reduction how, Where where = Where::here());

}  // namespace backdrop
