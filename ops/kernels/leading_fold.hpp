#pragma once

#include <backdrop/core/op.hpp>

#include "kernels/reduce.hpp"

namespace backdrop::kernels {

/// y = x reduced over leading axes of it, with the bits of its Folding. False: it has none, and nothing was
/// computed.
template <class T>
bool reduce_leading_axes(const Eval& e, Fold fold, AxisSet reduced);

/// The Folding of an op that reduces over the axes that kReduced tells of a call: what its functions do.
namespace folding {
std::size_t axes(const Shape& x, AxisSet reduced);
std::size_t fewest(const Shape& x, AxisSet reduced);
std::size_t piece(const Shape& x, AxisSet reduced);
std::size_t state_bytes(const Shape& x, AxisSet reduced);
void begin(const Call& c, Fold fold, AxisSet reduced, void* state);
void take(const Array& x, void* state);
void finish(const Array& y, void* states, std::size_t count);
}  // namespace folding

template <Fold kFold, AxisSet (*kReduced)(const Call&)>
inline constexpr Folding folding_of{
    .axes = [](const Call& c) { return folding::axes(c.shape(0), kReduced(c)); },
    .fewest = [](const Call& c) { return folding::fewest(c.shape(0), kReduced(c)); },
    .piece = [](const Call& c) { return folding::piece(c.shape(0), kReduced(c)); },
    .state_bytes = [](const Call& c) { return folding::state_bytes(c.shape(0), kReduced(c)); },
    .begin = [](const Call& c, void* state) { folding::begin(c, kFold, kReduced(c), state); },
    .take = [](const Call&, const Array& x, void* state) { folding::take(x, state); },
    .finish = [](const Call&, const Array& y, void* states,
                 std::size_t count) { folding::finish(y, states, count); },
};

}  // namespace backdrop::kernels
