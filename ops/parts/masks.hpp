#pragma once

#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/core/op.hpp>

/// The shapes in which masks are drawn and given, for the dropout family.
namespace backdrop::masks {

/// A mask brought to the shape of x by recording broadcast_to. What is no mask stays as it is: the type rule
/// of the op says so.
Var spread(Var mask, Var x, Where where);

/// The first `axes` extents of x, then 1 for each of the others.
Shape leading(const char* op, const Shape& x, std::size_t axes);

/// A mask of one bit for each of the first `axes` axes of x, with or without further axes of extent 1, in the
/// shape that broadcasts to x. Throws ShapeError naming `op`.
Var leading(const char* op, Var mask, Var x, std::size_t axes, Where where);

}  // namespace backdrop::masks
