#pragma once

#include <backdrop/core/op.hpp>

/// Picking elements by i64 indices, in which nothing is differentiated. An index outside [0, extent) is a
/// ValueError of the run that meets it; negative ones are not counted from the end.
namespace backdrop {

extern const Op index_select_op;
extern const Op index_add_op;
extern const Op gather_op;
extern const Op scatter_add_op;
extern const Op one_hot_op;

/// y[a..., i..., b...] = x[a..., indices[i...], b...]: rows of a table. The shape of y is that
/// of x with `axis` replaced by all axes of `indices`, as NumPy's take. f32, f64 or i64. Throws DTypeError,
/// ShapeError.
Var index_select(Var x, Var indices, std::int64_t axis = 0, Where where = Where::here());

/// Rows of a table [n, ...] by i64 indices. Where an index is `padding` (negative: from the end), the row is
/// a constant to derivatives. Throws as index_select does, and ValueError when there is no such row.
Var embedding(Var table, Var indices, Where where = Where::here());
Var embedding(Var table, Var indices, std::int64_t padding, Where where = Where::here());

/// The transpose of index_select: zeros with `extent` positions along `axis`, to which
/// y[a..., indices[i...], b...] += x[a..., i..., b...] in the order of i. Throws DTypeError, ShapeError.
Var index_add(Var x, Var indices, std::int64_t axis, std::int64_t extent, Where where = Where::here());

/// y[a..., i, b...] = x[a..., indices[a..., i, b...], b...], with i along `axis`: PyTorch's gather. x and
/// indices have one shape but for `axis`. f32, f64 or i64. Throws DTypeError, ShapeError.
Var gather(Var x, Var indices, std::int64_t axis, Where where = Where::here());

/// The transpose of gather: zeros with `extent` positions along `axis`, to which
/// y[a..., indices[a..., i, b...], b...] += x[a..., i, b...] in the order of i. Throws DTypeError,
/// ShapeError.
Var scatter_add(Var x, Var indices, std::int64_t axis, std::int64_t extent, Where where = Where::here());

/// y[i..., c] = 1 where indices[i...] = c, else 0, for c in [0, classes). f32 or f64. Throws DTypeError,
/// ValueError when classes is negative.
Var one_hot(Var indices, std::int64_t classes, DType dtype = DType::f32, Where where = Where::here());

}  // namespace backdrop
