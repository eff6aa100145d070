#pragma once

#include <backdrop/core/all_or_nothing.hpp>
#include <backdrop/ops/arithmetic.hpp>
#include <cstdint>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

/// Computing once more instead of storing (Griewank and Walther's revolve, PyTorch's checkpoint): what the
/// way back needs of a region is computed again when it is reached, from the values at the region's boundary,
/// so nothing within is kept until then. Masks are functions of their keys, so both times they are the same,
/// and so is every bit of a gradient.
namespace backdrop {

extern const Op checkpoint_op;
extern const Op again_op;

/// x, as a node of its own, so that compile does not take what is recorded on it for what was recorded on x:
/// it is computed a second time. Any dtype.
Var again(Var x, Where where = Where::here());

/// y, which a reverse sweep reaches by recording anew the nodes from `first` on that lead to y. The values
/// they need of `xs`, and of other nodes before `first`, are the boundary: inputs of the node beside y.
Var checkpoint_since(std::size_t first, Var y, std::span<const Var> xs, Where where = Where::here());

/// f(x, ...), whose intermediate values are computed again on the way back, not stored. f records on the tape
/// of x and may capture any Vars of it. Checkpoints nest. A derivative asked for in a node within the region
/// finds that region stored as usual.
template <class F, class... More>
requires std::is_invocable_r_v<Var, F, Var, More...> Var checkpoint(F&& f, Operand x, More... more) {
  Tape& tape = x.var().tape();
  return all_or_nothing(tape, [&] {
    const std::size_t first = tape.size();
    const Var xs[] = {x.var(), more...};
    return checkpoint_since(first, std::forward<F>(f)(x.var(), more...), xs, x.where());
  });
}

/// layers[n-1](... layers[0](x)), cut into `segments` runs of about equal length with a checkpoint each. By
/// default about sqrt(n), which lets memory grow as sqrt(n): Chen et al., arXiv:1604.06174. Throws ValueError
/// for fewer than no or more than n segments.
Var checkpoint_sequential(std::span<const std::function<Var(Var)>> layers, Var x, std::int64_t segments = 0,
                          Where where = Where::here());

/// The nodes that lead to input 0 of a checkpoint from its other inputs and from leaves, in order.
std::vector<std::uint32_t> checkpointed(const Call& checkpoint);

}  // namespace backdrop
