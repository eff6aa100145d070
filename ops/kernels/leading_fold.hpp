#pragma once

#include <backdrop/core/op.hpp>

#include "kernels/reduce.hpp"

namespace backdrop::kernels {

/// y = x reduced over leading axes of it, with the bits of its Folding (reduce.hpp). False: it has none, and
/// nothing was computed.
template <class T>
bool reduce_leading_axes(const Eval& e, Fold fold, AxisSet reduced);

}  // namespace backdrop::kernels
