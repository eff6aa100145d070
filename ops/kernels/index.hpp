#pragma once

#include <backdrop/core/op.hpp>

/// Each takes input 0 as [outer, n, inner] about `axis` and input 1 as indices, and throws ValueError before
/// anything is written when an index lies outside its axis.
namespace backdrop::kernels {

/// y[o, j, i] = x[o, indices[j], i]
void index_select(const Eval& e, std::size_t axis);
/// y = 0; y[o, indices[j], i] += x[o, j, i] for j = 0, 1, ...
void index_add(const Eval& e, std::size_t axis);
/// y[o, j, i] = x[o, indices[o, j, i], i]
void gather(const Eval& e, std::size_t axis);
/// y = 0; y[o, indices[o, j, i], i] += x[o, j, i] for j = 0, 1, ...
void scatter_add(const Eval& e, std::size_t axis);
/// y[j, c] = indices[j] == c
void one_hot(const Eval& e);

}  // namespace backdrop::kernels
