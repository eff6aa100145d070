#pragma once

#include <backdrop/core/op.hpp>

/// Kernels that run along one axis, each line by itself and from its first element to its last, or from the
/// last to the first in reverse.
namespace backdrop::kernels {

/// y[i] = x[i] + y[i-1]
void cumsum(const Eval& e, std::size_t axis, bool reverse);
/// y[i] = a[i] y[i-1] + b[i], from inputs a and b
void recurrence(const Eval& e, std::size_t axis, bool reverse);
/// y[i] = log(e^y[i-1] + e^x[i])
void logcumsumexp(const Eval& e, std::size_t axis);

}  // namespace backdrop::kernels
