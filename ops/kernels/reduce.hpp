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

/// y = the position along `axis` of the first greatest (sign 1) or least (sign -1) element; NaN beats all.
void arg_extreme(const Eval& e, std::size_t axis, int sign);

}  // namespace backdrop::kernels
