#pragma once

#include <backdrop/core/op.hpp>

#include "kernels/reduce.hpp"

/// The softmax family. Everything is shifted by the greatest element first, so that no exponential overflows;
/// sums are taken in f64, without the greatest element's own 1 where the logarithm of the sum is wanted.
namespace backdrop::kernels {

/// y = e^x / sum of e^x along `axis`
void softmax(const Eval& e, std::size_t axis);
/// y = x - log(sum of e^x along `axis`)
void log_softmax(const Eval& e, std::size_t axis);
/// y = log(sum of e^x over `axes`); no reduced axis is empty.
void logsumexp(const Eval& e, AxisSet axes);

enum class Losses : std::uint8_t { mean, sum, each };

/// For logits [N, C] (input 0) and labels [N] (input 1), the cross-entropies log(sum of e^row) - row[label],
/// or their mean or sum. Throws ValueError for a label outside [0, C).
void cross_entropy(const Eval& e, Losses losses);

}  // namespace backdrop::kernels
