#pragma once

#include <backdrop/backdrop.hpp>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

/// A mixture of K normal distributions in d dimensions, fitted to n points: the GMM objective of ADBench
/// (Srajer, Kukelova, Fitzgibbon, arXiv:1807.10129). The inverse of a square root of each covariance is a
/// lower triangular matrix Q, of which `icf` holds the logarithm of the diagonal, then what is below it,
/// column by column.
namespace objectives {

namespace bd = backdrop;

struct Mixture {
  bd::Var alphas;  ///< [K], logarithms of weights
  bd::Var means;   ///< [K, d]
  bd::Var icf;     ///< [K, d + d(d-1)/2]
};

struct Wishart {  ///< the prior on Q
  double gamma = 1;
  int m = 0;
};

/// Q [K, d, d] from its parts: the diagonal [K, d] and what is below [K, d(d-1)/2].
inline bd::Var lower_triangular(bd::Var diagonal, bd::Var below) {
  const std::int64_t k = diagonal.shape()[0], d = diagonal.shape()[1], zero = d + d * (d - 1) / 2;
  std::vector<std::int64_t> from(static_cast<std::size_t>(d * d), zero);  // where each element comes from
  std::int64_t next = d;
  for (std::int64_t column = 0; column < d; ++column) {
    from[static_cast<std::size_t>(column * d + column)] = column;
    for (std::int64_t row = column + 1; row < d; ++row)
      from[static_cast<std::size_t>(row * d + column)] = next++;
  }
  bd::Tape& tape = diagonal.tape();
  const bd::Var parts = bd::concat({diagonal, below, bd::full(tape, {k, 1}, 0, bd::DType::f64)}, 1);
  const bd::Var places = tape.constant(bd::Tensor::from(from, {d * d}));
  return bd::reshape(bd::index_select(parts, places, 1), {k, d, d});
}

/// The logarithm of what the prior's density is divided by, for one component.
inline double log_wishart_constant(std::int64_t d, const Wishart& prior) {
  const auto dimensions = static_cast<double>(d), n = dimensions + prior.m + 1;
  double log_gamma = 0.25 * dimensions * (dimensions - 1) * std::log(std::numbers::pi);
  for (std::int64_t j = 0; j < d; ++j) log_gamma += std::lgamma(0.5 * (n - static_cast<double>(j)));
  return n * dimensions * (std::log(prior.gamma) - 0.5 * std::numbers::ln2) - log_gamma;
}

/// log p(points, mixture), for points [n, d].
inline bd::Var log_likelihood(const Mixture& mixture, bd::Var points, const Wishart& prior) {
  const std::int64_t k = mixture.means.shape()[0], d = mixture.means.shape()[1], n = points.shape()[0];
  const std::vector<bd::Var> parts = bd::split(mixture.icf, {d, d * (d - 1) / 2}, 1);
  const bd::Var log_diagonal = parts[0], diagonal = bd::exp(log_diagonal), below = parts[1];
  const bd::Var log_determinant = bd::sum(log_diagonal, {1}, true);  // [K, 1]

  const bd::Var centered = bd::unsqueeze(points, 0) - bd::unsqueeze(mixture.means, 1);  // [K, n, d]
  const bd::Var q = lower_triangular(diagonal, below);
  const bd::Var distance = bd::sum(bd::square(bd::matmul(centered, q, {.transpose_b = true})), {2});
  const bd::Var terms = bd::unsqueeze(mixture.alphas, 1) + log_determinant - 0.5 * distance;  // [K, n]
  const bd::Var likelihood = bd::sum(bd::logsumexp(terms, {0}));

  const auto count = static_cast<double>(n);
  const bd::Var square_norm = bd::sum(bd::square(diagonal)) + bd::sum(bd::square(below));
  const bd::Var log_prior = 0.5 * prior.gamma * prior.gamma * square_norm - prior.m * bd::sum(log_diagonal);
  const double constant = -0.5 * count * static_cast<double>(d) * std::log(2 * std::numbers::pi) -
                          static_cast<double>(k) * log_wishart_constant(d, prior);
  return likelihood - count * bd::logsumexp(mixture.alphas) + log_prior + constant;
}

}  // namespace objectives
