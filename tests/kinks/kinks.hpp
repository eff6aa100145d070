#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/core/tensor.hpp>
#include <vector>

/// Points at which functions of the library have no derivative, but a slope on either side.
namespace backdrop {

struct Kink {
  const char* op;                   ///< its name
  const char* where;                ///< in words
  Tensor at;                        ///< x, f64, of rank 1
  Var (*y)(Var x);                  ///< of rank 0 or 1
  std::size_t row = 0, column = 0;  ///< which derivative: d y[row] / d x[column]
};
std::vector<Kink> kinks();

struct Slopes {
  double below = 0, above = 0;  ///< of the function, by differences
  double taken = 0;             ///< by the rules, in reverse
  double forward = 0;           ///< and forwards
};
Slopes slopes(const Kink& kink);

}  // namespace backdrop
