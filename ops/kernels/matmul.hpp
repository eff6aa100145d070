#pragma once

#include <backdrop/core/op.hpp>

namespace backdrop::kernels {

/// y = op(x0) op(x1) for every matrix of the last two axes; leading axes are equal. Runs on e.workers, cut by
/// the shapes alone, so the bits do not depend on the number of threads.
void matmul(const Eval& e, bool transpose_a, bool transpose_b);

/// y = x0 + x1 op(x2) op(x3) in the same way, where x1 has one element; y may lie where x0 lies.
void add_product(const Eval& e, bool transpose_a, bool transpose_b);

}  // namespace backdrop::kernels
