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

/// For p [N, C] (input 0), labels [N] (input 1) and logits [N, C] (input 2), log(sum of p[n] / p[n, l]) with
/// l = labels[n]; where p[n, l] has underflowed, what is wanted of p = softmax(logits). Throws ValueError for
/// a label outside [0, C).
void label_loss(const Eval& e);
/// y = factor g[n] (p[n, k] - 1 where k = labels[n]), for p, labels, and g [N] (input 2). Throws the same.
void label_excess(const Eval& e, double factor);

}  // namespace backdrop::kernels
