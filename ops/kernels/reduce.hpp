#pragma once

#include <backdrop/core/op.hpp>
#include <bitset>
#include <cstdint>
#include <span>

/// Kernels that reduce f32 or f64 over any axes. They accumulate in f64 (f64 terms with compensation), in an
/// order that depends on the shape alone. Over nothing: sum 0, mean NaN, norm 0, prod 1.
namespace backdrop::kernels {

using AxisSet = std::bitset<kMaxRank>;

AxisSet axis_set(std::span<const std::int64_t> axes);
/// The axes over which a cotangent of shape `from` is summed to `to`, which broadcasts to it.
AxisSet axes_summed(const Shape& from, const Shape& to);

enum class Fold : std::uint8_t { sum, mean, norm, prod, max, min };

/// y = x reduced over `axes` of x.
void reduce(const Eval& e, Fold fold, AxisSet axes);

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

/// y = the position along `axis` of the first greatest (sign 1) or least (sign -1) element; NaN beats all.
void arg_extreme(const Eval& e, std::size_t axis, int sign);

}  // namespace backdrop::kernels
