#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/reduce.hpp"

/// The folds that reductions are made of: of the rows of matrices, into the running state of neighbouring
/// outputs. In f64 (f64 terms with compensation), one row after another, whatever the instruction set.
namespace backdrop::kernels {

/// The running state of neighbouring outputs.
struct Lanes {
  static constexpr std::size_t kMax = 512;

  double state[kMax], error[kMax];
};

/// Terms of neighbouring outputs: x[r * row + k * column] for r < rows and k < width, folded over r. One of
/// the strides is 1.
struct Matrix {
  std::size_t rows, width, row, column;
};

/// Matrices narrower than this are folded several rows at a time.
inline constexpr std::size_t kWide = 64;
/// Work is cut into pieces of about this many elements, and a run that is reduced into up to kPieces.
inline constexpr std::size_t kFoldGrain = 32768, kPieces = 8;

void clear(Fold fold, Lanes& lanes, std::size_t width);
void fold_into(Fold fold, Lanes& lanes, const float* x, const Matrix& m);
void fold_into(Fold fold, Lanes& lanes, const double* x, const Matrix& m);
/// Of terms T.
template <class T>
void merge(Fold fold, Lanes& into, const Lanes& from, std::size_t width);
/// Merges what `beside` rows of `columns` have left side by side, a power of 2, into the first of them.
template <class T>
void merge_beside(Fold fold, Lanes& lanes, std::size_t beside, std::size_t columns);
template <class T>
void finish(Fold fold, const Lanes& lanes, std::size_t width, std::size_t terms, T* y);

/// Folds rows in pieces of `each`, of which there are at most kPieces: fold_rows(lanes, first, count) folds
/// `count` of them. The pieces are merged in order into states[0], so that threads change no bit.
template <class T, class FoldRows>
void fold_in_pieces(Fold fold, Lanes (&states)[kPieces], std::size_t width, std::size_t rows,
                    std::size_t each, const Workers& workers, FoldRows fold_rows) {
  const std::size_t pieces = (rows + each - 1) / each;
  workers.for_each(pieces, 1, [&](std::size_t k, std::size_t) {
    clear(fold, states[k], width);
    fold_rows(states[k], k * each, std::min(each, rows - k * each));
  });
  for (std::size_t k = 1; k < pieces; ++k) merge<T>(fold, states[0], states[k], width);
}

}  // namespace backdrop::kernels
