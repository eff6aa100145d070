#pragma once

#include <cstddef>
#include <vector>

/// Functions with derivatives written by hand, right and wrong ones: what every checker of derivatives can be
/// asked about. Plain arithmetic, so that each asks about the same numbers.
namespace backdrop::peers {

struct Case {
  const char* name;      ///< what is wrong with the derivative; or why a right one may look wrong
  const char* function;  ///< which function, for who writes it anew: several cases share one
  bool wrong;
  std::vector<double> x;
  std::size_t rows;                              ///< elements of y
  void (*value)(const double* x, double* y);     ///< y = f(x)
  void (*jacobian)(const double* x, double* j);  ///< the derivative by hand, [rows, x.size()]
  bool second_order = false;                     ///< right itself, but its own derivative is 3 in place of 2
};

const std::vector<Case>& cases();

}  // namespace backdrop::peers
