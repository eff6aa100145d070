#pragma once

#include <backdrop/core/random.hpp>
#include <backdrop/core/tape.hpp>
#include <cstdint>

namespace backdrop {

struct MonteCarlo {
  Var mean, variance;  ///< of the type of y
};

/// Monte-Carlo dropout: the mean and variance of y over `samples` draws of its random nodes, as nodes of one
/// recording: the variance is the sum of (y - mean)^2 divided by samples - correction. Random nodes are
/// recorded for each sample, on fresh keys taken from `keys` (so `keys` must not be the one that the
/// recording drew from, or must go on where that stopped); what depends on them once for many samples, by
/// vmap; the rest is shared. Random nodes of one key have one fresh key in common in each sample.
/// Differentiable like any other recording. Throws GraphError when y depends on no random node, ValueError
/// unless samples > correction >= 0. The variance that Gal and Ghahramani predict with, arXiv:1506.02142, is
/// this one and, for noisy observations, 1/tau.
MonteCarlo monte_carlo(Var y, std::int64_t samples, Keys& keys, std::int64_t correction = 0);

}  // namespace backdrop
