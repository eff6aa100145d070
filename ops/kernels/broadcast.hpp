#pragma once

#include <backdrop/core/op.hpp>

namespace backdrop::kernels {

/// y = x repeated to the shape of y; any dtype.
void broadcast(const Eval& e);

}  // namespace backdrop::kernels
