#pragma once

#include <backdrop/core/op.hpp>
#include <span>
#include <vector>

/// What batch rules (Op::batch) are made of: n values of the inputs lie along a new leading axis.
namespace backdrop::batched {

using Ints = std::span<const std::int64_t>;

/// Whether input k has its many values in x, or is the same for all.
inline bool is(const Call& c, std::span<const Var> x, std::size_t k) {
  return x[k].shape().rank() == c.shape(k).rank() + 1;
}
/// n.
std::int64_t size(const Call& c, std::span<const Var> x);
/// Every input with the leading axis, repeated along it where it is the same for all.
std::vector<Var> all(const Call& c, std::span<const Var> x);

/// {number, numbers...}
std::vector<std::int64_t> before(std::int64_t number, Ints numbers);
/// Axes of the one value, as axes of many.
std::vector<std::int64_t> moved(Ints axes);

/// The op with the same attributes, of one input: for ops that look at the last axes, or at each element.
inline constexpr BatchRule same = [](const Call& c, std::span<const Var> x) {
  return x[0].tape().record_again(c.tape, c.y.index(), x);
};

}  // namespace backdrop::batched
