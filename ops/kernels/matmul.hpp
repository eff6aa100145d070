#pragma once

#include <backdrop/core/op.hpp>

namespace backdrop::kernels {

/// y = op(x0) op(x1) for every matrix of the last two axes; leading axes are equal. Runs on e.workers, cut by
/// the shapes alone, so the bits do not depend on the number of threads.
void matmul(const Eval& e, bool transpose_a, bool transpose_b);

}  // namespace backdrop::kernels
