#include <algorithm>
#include <cmath>
#include <numbers>

#include "hand/objectives.hpp"

namespace hand {

namespace {

double log_sum_exp(const std::vector<double>& terms) {
  const double largest = *std::max_element(terms.begin(), terms.end());
  double sum = 0;
  for (const double term : terms) sum += std::exp(term - largest);
  return std::log(sum) + largest;
}

// |Q v|^2 for the lower triangular Q with this diagonal and these columns below it.
double square_norm_of_product(const double* diagonal, const double* below, const double* v, double* product,
                              std::size_t d) {
  for (std::size_t i = 0; i < d; ++i) product[i] = diagonal[i] * v[i];
  for (std::size_t column = 0; column < d; ++column) {
    for (std::size_t row = column + 1; row < d; ++row) product[row] += *below++ * v[column];
  }
  double sum = 0;
  for (std::size_t i = 0; i < d; ++i) sum += product[i] * product[i];
  return sum;
}

double log_prior(const Mixture& m, const std::vector<double>& diagonals) {
  const std::size_t d = m.dimensions, parts = d + d * (d - 1) / 2;
  double squares = 0;
  for (const double q : diagonals) squares += q * q;
  for (std::size_t k = 0; k < m.components; ++k) {
    for (std::size_t i = d; i < parts; ++i) squares += m.icf[k * parts + i] * m.icf[k * parts + i];
  }
  const auto dimensions = static_cast<double>(d), n = dimensions + 1;
  double log_gamma = 0.25 * dimensions * (dimensions - 1) * std::log(std::numbers::pi);
  for (std::size_t j = 0; j < d; ++j) log_gamma += std::lgamma(0.5 * (n - static_cast<double>(j)));
  const double constant = -n * dimensions * 0.5 * std::numbers::ln2 - log_gamma;
  return 0.5 * squares - static_cast<double>(m.components) * constant;
}

}  // namespace

double log_likelihood(const Mixture& m) {
  const std::size_t d = m.dimensions, parts = d + d * (d - 1) / 2;
  std::vector<double> diagonals(m.components * d), log_determinants(m.components);
  for (std::size_t k = 0; k < m.components; ++k) {
    for (std::size_t i = 0; i < d; ++i) {
      diagonals[k * d + i] = std::exp(m.icf[k * parts + i]);
      log_determinants[k] += m.icf[k * parts + i];
    }
  }
  std::vector<double> terms(m.components), centered(d), product(d);
  double sum = 0;
  for (std::size_t n = 0; n < m.points; ++n) {
    for (std::size_t k = 0; k < m.components; ++k) {
      for (std::size_t i = 0; i < d; ++i) centered[i] = m.x[n * d + i] - m.means[k * d + i];
      const double distance = square_norm_of_product(&diagonals[k * d], &m.icf[k * parts + d],
                                                     centered.data(), product.data(), d);
      terms[k] = m.alphas[k] + log_determinants[k] - 0.5 * distance;
    }
    sum += log_sum_exp(terms);
  }
  const auto points = static_cast<double>(m.points);
  const double constant = -0.5 * points * static_cast<double>(d) * std::log(2 * std::numbers::pi);
  return constant + sum - points * log_sum_exp(m.alphas) + log_prior(m, diagonals);
}

}  // namespace hand
