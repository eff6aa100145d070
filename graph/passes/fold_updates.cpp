#include <backdrop/core/op.hpp>
#include <backdrop/ops/ops.hpp>
#include <optional>
#include <unordered_map>

#include "passes/passes.hpp"
#include "uses.hpp"

// w - rate * (a b), the step of gradient descent, becomes add_product(w, -rate, a, b): the gradient is never
// written down, and the BLAS adds it to w where w lies.
namespace backdrop::passes {

namespace {

// next = w + factor * s * product, or - : what is to be folded.
struct Step {
  std::uint32_t next, weight, product;
  std::optional<std::uint32_t> rate;  // rank 0
  double factor;
};

class Folding {
 public:
  Folding(const Tape& tape, std::span<const Var> nexts, std::span<const Var> roots)
      : tape_(tape), uses_(uses(tape, roots)), out_(tape) {
    for (Var next : nexts) {
      if (const auto step = recognised(next.index())) steps_.emplace(step->next, *step);
    }
  }

  bool finds_any() const { return !steps_.empty(); }

  Rewrite run() {
    std::vector<bool> folded(tape_.size(), false);
    for (const auto& [next, step] : steps_) {
      folded[step.product] = true;
      for (std::uint32_t i = difference(next); i != step.product; i = scaled(i)->product) folded[i] = true;
    }
    for (std::uint32_t i = 0; i < tape_.size(); ++i) {
      if (const auto at = steps_.find(i); at != steps_.end()) {
        out_.stand_in(i, record(at->second));
      } else if (!folded[i]) {
        out_.copy(i);
      }
    }
    return std::move(out_);
  }

 private:
  const Op* op(std::uint32_t i) const { return tape_.node(i).op; }
  std::uint32_t input(std::uint32_t i, std::size_t k) const { return tape_.node(i).inputs()[k]; }
  std::uint32_t difference(std::uint32_t next) const { return input(next, 1); }

  // i = rate * product or factor * product.
  struct Scaled {
    std::uint32_t product;
    std::optional<std::uint32_t> rate;
    double factor;
  };
  std::optional<Scaled> scaled(std::uint32_t i) const {
    if (op(i) == &scale_op)
      return Scaled{input(i, 0), std::nullopt, tape_.attribute(tape_.node(i), 0).real()};
    if (op(i) != &mul_op) return std::nullopt;
    for (std::size_t k = 0; k < 2; ++k) {
      const std::uint32_t factor = input(i, k), other = input(i, 1 - k);
      if (op(factor) != &broadcast_to_op || tape_.shape(tape_.node(input(factor, 0)).shape).rank() != 0)
        continue;
      if (tape_.node(other).dtype == tape_.node(factor).dtype) return Scaled{other, input(factor, 0), 1};
    }
    return std::nullopt;
  }

  std::optional<Step> recognised(std::uint32_t next) const {
    if (op(next) != &sub_op && op(next) != &add_op) return std::nullopt;
    Step step{next, input(next, 0), difference(next), std::nullopt, op(next) == &sub_op ? -1. : 1.};
    if (op(step.weight) != &variable_op) return std::nullopt;
    while (uses_[step.product] == 1 && op(step.product) != &matmul_op) {
      const auto inner = scaled(step.product);
      if (!inner || (inner->rate && step.rate)) return std::nullopt;
      if (inner->rate) step.rate = inner->rate;
      step.factor *= inner->factor;
      step.product = inner->product;
    }
    if (uses_[step.product] != 1 || op(step.product) != &matmul_op) return std::nullopt;
    return step;
  }

  Var record(const Step& step) {
    const Node& product = tape_.node(step.product);
    const Var w = out_.at(step.weight);
    Var s = step.rate ? out_.at(*step.rate) : full(out_.tape(), {}, 1, w.dtype());
    if (step.factor != 1) s = scale(s, step.factor);
    const MatmulOptions options{tape_.attribute(product, 0).boolean(), tape_.attribute(product, 1).boolean()};
    return add_product(w, s, out_.at(product.inputs()[0]), out_.at(product.inputs()[1]), options);
  }

  const Tape& tape_;
  std::vector<std::uint32_t> uses_;
  std::unordered_map<std::uint32_t, Step> steps_;  // by next
  Rewrite out_;
};

}  // namespace

Rewrite fold_updates(Rewrite recording, std::span<const Var> nexts, std::span<const Var> roots) {
  if (nexts.empty()) return recording;
  Folding folding(recording.tape(), nexts, roots);
  return folding.finds_any() ? recording.then(folding.run()) : std::move(recording);
}

}  // namespace backdrop::passes
