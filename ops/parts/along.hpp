#pragma once

#include <backdrop/core/op.hpp>

/// What ops along one axis share.
namespace backdrop::along {

inline constexpr auto axis = attr::integer("axis");

/// Throws unless input 0 is f32 or f64 (DTypeError) and `axis` counts from 0, lies within its rank and has
/// elements (ShapeError).
void require_axis(const Call& c);

/// The axes before `axis`.
std::size_t leading(const Call& c, std::size_t);

/// require_axis, and the type of input 0.
Type infer(const Call& c);

}  // namespace backdrop::along
