#include <fmt/format.h>

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/graph/gradient.hpp>
#include <backdrop/graph/jacobian.hpp>
#include <cmath>
#include <optional>

#include "laws.hpp"
#include "replay.hpp"

namespace backdrop::laws {

namespace {

constexpr std::size_t kMostEntries = 1 << 16;

// A checker that trusted a wrong declaration would look at the wrong entries: blocks found from what all ops
// of the recording declare, against the vjp as a whole.
void check_blocks(Bench& b, Case& c, Var x) {
  const BlockJacobian found = block_jacobian(c.y, x, {.feeds = c.maker.feeds(), .step = kStep});
  if (found.blocks == 1) return;
  const Var seed = c.direction(c.y);
  const Var backwards = vjp(c.y, x, seed);
  const std::vector<Tensor> v = values(c, std::vector<Var>{backwards, seed});
  const Tensor dense = found.dense(), &expected = v[0], &g = v[1];
  for (std::size_t j = 0; j < expected.numel(); ++j) {
    double sum = 0, size = 0;
    for (std::size_t i = 0; i < g.numel(); ++i) {
      const double entry = dense.at(i * expected.numel() + j);
      if (g.at(i) == 0 || entry == 0) continue;
      sum += g.at(i) * entry;
      size += std::abs(g.at(i) * entry);
    }
    const double most = 4096 * epsilon_of(c.maker.dtype()) * (size + std::abs(expected.at(j)));
    const bool same = std::abs(sum - expected.at(j)) <= most;
    const bool undefined = !std::isfinite(sum) && !std::isfinite(expected.at(j));
    if (same || undefined) continue;
    b.fail(c, fmt::format("cut into {} blocks, element {} of the vjp in {} is {}, and whole {}", found.blocks,
                          j, x.name(), sum, expected.at(j)));
    return;
  }
}

// The sampled op on leaves of its own: one for each input, so that an argument used twice counts once.
struct Alone {
  Tape tape;
  std::vector<Tensor> at;
  std::vector<Var> leaves;
  Var y;

  std::vector<Feed> feeds() const {
    std::vector<Feed> out;
    for (std::size_t k = 0; k < leaves.size(); ++k) out.emplace_back(leaves[k], at[k]);
    return out;
  }
  Tensor result() const { return value(y, {.feeds = feeds(), .step = kStep, .threads = 1}); }
};

void take_alone(Case& c, Alone& out) {
  out.at = values(c, sampled(c).inputs);
  for (std::size_t k = 0; k < out.at.size(); ++k) {
    out.leaves.push_back(out.tape.input(fmt::format("{}", k), out.at[k].shape(), out.at[k].dtype()));
  }
  out.y = out.tape.record_again(c.tape(), c.at, out.leaves);
}

// How many equal runs of y depend on one run of input k each, by the literal.
std::size_t declared_runs(const Call& c, std::size_t k) {
  const Op& op = *c.node.op;
  if (op.structure == Structure::diagonal || op.structure == Structure::identity) return c.y.shape().numel();
  if (op.leading == nullptr) return 1;
  return Shape(c.y.shape().extents().first(op.leading(c, k))).numel();
}

const char* input_name(const Op& op, std::size_t k) { return op.inputs[std::min(k, op.arity() - 1)]; }

void move_element(Tensor& x, std::size_t j, double from) {
  set_element(x, j, from + (from > 0 ? -0.125 : 0.125));
}

// Whether the kernel does not look at input k, as far as can be seen from moving all of it.
bool is_unread(Alone& alone, std::size_t k) {
  const Tensor before = alone.result(), original = alone.at[k];
  for (std::size_t j = 0; j < original.numel(); ++j) move_element(alone.at[k], j, original.at(j));
  const bool same = alone.result().same_bits(before);
  alone.at[k] = original;
  return same;
}

// What changes in y when one element of input k does, by the kernel.
void check_kernel(Bench& b, Case& c, Alone& alone, std::size_t k, std::size_t runs) {
  const Tensor before = alone.result();
  const Tensor original = alone.at[k];
  const std::size_t elements = original.numel(), per_y = before.numel() / runs, per_x = elements / runs;
  const std::size_t stride = std::max<std::size_t>(1, elements / 7);
  for (std::size_t j = 0; j < elements; j += stride) {
    Tensor moved = original;
    move_element(moved, j, original.at(j));
    alone.at[k] = moved;
    const Tensor after = alone.result();
    for (std::size_t i = 0; i < before.numel(); ++i) {
      const double was = before.at(i), is = after.at(i);
      if (i / per_y == j / per_x || was == is || (std::isnan(was) && std::isnan(is))) continue;
      b.fail(c,
             fmt::format("element {} of y depends on element {} of '{}', which the literal says it does not",
                         i, j, input_name(c.op(), k)));
      alone.at[k] = original;
      return;
    }
  }
  alone.at[k] = original;
}

// Whether the entries of one column, or of one row, are 0s and at most one 1.
bool at_most_one(const Tensor& jacobian, std::size_t first, std::size_t count, std::size_t stride) {
  std::size_t ones = 0;
  for (std::size_t e = 0; e < count; ++e) {
    const double entry = jacobian.at(first + e * stride);
    if (entry != 0 && entry != 1) return false;
    ones += entry == 1 ? 1 : 0;
  }
  return ones <= 1;
}

// The Jacobian by the op's own rules, all of it; nothing where there is no rule.
std::optional<Tensor> jacobian_by_rules(const Alone& alone, std::size_t k) {
  try {
    const Replay replay({&alone.y, 1}, {&alone.leaves[k], 1}, {alone.feeds(), kStep, 1},
                        Replay::Precision::recorded);
    return jacobians_by_rows(replay, replay.roots()[0], replay.inputs())[0];
  } catch (const GraphError&) {
    return std::nullopt;
  }
}

// What is wrong with the Jacobian, or "".
std::string fault(const Tensor& jacobian, Structure structure, std::size_t runs, std::size_t m,
                  std::size_t n) {
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const double entry = jacobian.at(i * n + j);
      if (i / (m / runs) != j / (n / runs) && entry != 0) {
        return fmt::format("dy[{}]/dx[{}] is {}, and by the literal 0", i, j, entry);
      }
      if (structure == Structure::identity && i == j && entry != 1) {
        return fmt::format("dy[{}]/dx[{}] is {} and the literal says identity", i, j, entry);
      }
    }
  }
  for (std::size_t i = 0; structure == Structure::selection && i < m; ++i) {
    if (!at_most_one(jacobian, i * n, n, 1)) return fmt::format("row {} of the Jacobian is no selection", i);
  }
  for (std::size_t j = 0; structure == Structure::partition && j < n; ++j) {
    if (!at_most_one(jacobian, j, m, n)) return fmt::format("column {} of the Jacobian is no partition", j);
  }
  return "";
}

bool all_zero(const Tensor& x) {
  for (std::size_t k = 0; k < x.numel(); ++k) {
    if (x.at(k) != 0) return false;
  }
  return true;
}

void check_view(Bench& b, Case& c, const Alone& alone) {
  if (!c.op().view) return;
  const Tensor y = alone.result();
  const bool same = y.dtype() == alone.at[0].dtype() && y.numel() == alone.at[0].numel() &&
                    y.same_bits(alone.at[0].reshape(y.shape()));
  if (!same) b.fail(c, "the literal says view, and the output is not input 0 byte for byte");
}

// How far the declared axes of input k reach; false where they are not even there.
bool axes_fit(Bench& b, Case& c, const Alone& alone, std::size_t k) {
  const Op& op = c.op();
  const Shape &y = alone.y.shape(), &x = alone.at[k].shape();
  const bool diagonal = op.structure == Structure::diagonal || op.structure == Structure::identity;
  if (diagonal) {
    if (y.numel() == x.numel()) return true;
    b.fail(c, fmt::format("the literal says {}, and y has {} elements, input {} {}", name(op.structure),
                          y.numel(), k, x.numel()));
    return false;
  }
  if (op.leading == nullptr) return true;
  const std::size_t axes = op.leading(alone.tape.call(alone.y.index()), k);
  if (axes <= y.rank() && axes <= x.rank() &&
      std::equal(y.begin(), y.begin() + static_cast<std::ptrdiff_t>(axes), x.begin())) {
    return true;
  }
  b.fail(c, fmt::format("{} leading axes of y {} cannot be those of input {} {}", axes, to_string(y), k,
                        to_string(x)));
  return false;
}

// Whether input k of the sampled call is a leaf in which the sample wants no derivative.
bool is_fixed(Case& c, std::size_t k) {
  const Var x = sampled(c).inputs[k];
  const auto& leaves = c.maker.leaves();
  return std::any_of(leaves.begin(), leaves.end(),
                     [&](const SampleMaker::Leaf& leaf) { return leaf.var == x && !leaf.differentiable; });
}

void check_input(Bench& b, Case& c, Alone& alone, std::size_t k) {
  const bool by_rules = c.sample.traits.smooth && !is_fixed(c, k);
  const std::optional<Tensor> jacobian = by_rules ? jacobian_by_rules(alone, k) : std::nullopt;
  if (jacobian && all_zero(*jacobian) && is_unread(alone, k)) return;  // 0 has any structure
  if (!axes_fit(b, c, alone, k)) return;
  const std::size_t runs = declared_runs(alone.tape.call(alone.y.index()), k);
  check_kernel(b, c, alone, k, runs);
  if (!jacobian) return;
  const std::string text =
      fault(*jacobian, c.op().structure, runs, alone.y.shape().numel(), alone.at[k].numel());
  if (!text.empty()) b.fail(c, fmt::format("'{}': {}", input_name(c.op(), k), text));
}

void check_declared(Bench& b, Case& c) {
  Alone alone;
  take_alone(c, alone);
  check_view(b, c, alone);
  if (!is_float(alone.y.dtype()) || alone.y.shape().numel() == 0) return;
  for (std::size_t k = 0; k < alone.at.size(); ++k) {
    const std::size_t n = alone.at[k].numel();
    const bool small = n > 0 && n * alone.y.shape().numel() <= kMostEntries;
    if (is_float(alone.at[k].dtype()) && small) check_input(b, c, alone, k);
  }
}

bool declares(const Op& op) {
  return (op.structure != Structure::dense && op.structure != Structure::block) || op.leading != nullptr ||
         op.view;
}

}  // namespace

void structure(Bench& b) {
  b.for_each({Variant::as_written, Variant::scalar}, [&](Case& c) {
    if (c.maker.dtype() != b.widest() || c.sample.traits.large) return false;
    if (declares(c.op())) check_declared(b, c);
    if (!has_derivatives(c)) return declares(c.op());
    for (const Var x : c.maker.differentiable()) check_blocks(b, c, x);
    return true;
  });
}

}  // namespace backdrop::laws
