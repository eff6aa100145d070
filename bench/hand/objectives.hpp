#pragma once

#include <cstddef>
#include <vector>

/// Objectives of ADBench (Srajer, Kukelova, Fitzgibbon, arXiv:1807.10129) in plain C++: values alone, which
/// a gradient is compared with.
namespace hand {

struct Mixture {
  std::size_t components, dimensions, points;
  std::vector<double> alphas;  ///< [components]
  std::vector<double> means;   ///< [components, dimensions]
  std::vector<double> icf;     ///< [components, d + d(d-1)/2]: log diagonals, then what is below by columns
  std::vector<double> x;       ///< [points, dimensions]
};
/// The log likelihood with a Wishart prior of gamma = 1, m = 0.
double log_likelihood(const Mixture& mixture);

struct Lstm {
  std::size_t layers, bits, steps;
  std::vector<double> main;      ///< [2 layers, 4 bits]: weights of forget, in, out, change; then biases
  std::vector<double> extra;     ///< [3, bits]: weights of the input, weights and biases of the output
  std::vector<double> state;     ///< [2 layers, bits]: hidden, cell
  std::vector<double> sequence;  ///< [steps, bits]
};
double next_bits_loss(const Lstm& lstm);

}  // namespace hand
