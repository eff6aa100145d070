#pragma once

#include <backdrop/core/tape.hpp>
#include <backdrop/graph/program.hpp>
#include <span>
#include <vector>

/// Optimisers are more graph: from parameters, gradients and a learning rate they record the next values, and
/// return updates for `compile`. What they remember between steps (moments, a count) are Variables made here,
/// named after the parameter; they stand among the updates, so saving those saves everything.
///
/// `parameters` are Vars of Variables (f32 or f64) and `gradients` have their types; the learning rate is a
/// Var of one element: an input to schedule it, a constant to fix it. Throws GraphError when a parameter is
/// no Variable, ShapeError or DTypeError when types differ, ValueError for an option outside its range,
/// TapeError for a Var of another tape than the rest; nothing is recorded then.
namespace backdrop {

struct SgdOptions {
  double momentum = 0;      ///< in [0, 1)
  double weight_decay = 0;  ///< added to the gradient as weight_decay * w; >= 0
  bool nesterov = false;
};
/// v' = momentum v + (g + weight_decay w);  w' = w - lr v', or w - lr (g + momentum v') with nesterov.
/// Sutskever et al., ICML 2013, in PyTorch's form.
std::vector<Update> sgd(std::span<const Var> parameters, std::span<const Var> gradients, Var learning_rate,
                        const SgdOptions& options = {});

struct AdamOptions {
  double beta1 = 0.9;    ///< in [0, 1)
  double beta2 = 0.999;  ///< in [0, 1)
  double epsilon = 1e-8;
  double weight_decay = 0;  ///< adam: added to the gradient; adamw: taken from the weight; >= 0
};
/// m' = beta1 m + (1-beta1) g;  v' = beta2 v + (1-beta2) g^2;
/// w' = w - lr (m' / (1-beta1^t)) / (sqrt(v' / (1-beta2^t)) + epsilon). Kingma and Ba, arXiv:1412.6980.
std::vector<Update> adam(std::span<const Var> parameters, std::span<const Var> gradients, Var learning_rate,
                         const AdamOptions& options = {});
/// adam with decoupled decay: w' is also less lr * weight_decay * w. Loshchilov and Hutter, arXiv:1711.05101.
std::vector<Update> adamw(std::span<const Var> parameters, std::span<const Var> gradients, Var learning_rate,
                          const AdamOptions& options = {.weight_decay = 0.01});

/// The gradients scaled by min(1, max_norm / n), where n is the 2-norm of all of them together, n > 0.
/// Pascanu, Mikolov, Bengio, ICML 2013.
std::vector<Var> clip_grad_norm(std::span<const Var> gradients, double max_norm);

}  // namespace backdrop
