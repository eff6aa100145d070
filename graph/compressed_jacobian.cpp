#include "compressed_jacobian.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/graph/gradient.hpp>
#include <limits>
#include <string>

#include "sparsity.hpp"

namespace backdrop {

namespace {

constexpr std::size_t kMostEntries = std::size_t{1} << 25;

// What one product gives: entry `e` of the result is element `from` of the product.
struct Taken {
  std::size_t e, from;
};

// The entries by colour.
std::vector<std::vector<Taken>> sorted(const SparseJacobian& out, const Compression& by) {
  std::vector<std::vector<Taken>> taken(by.count);
  for (std::size_t r = 0; r < out.rows; ++r) {
    for (std::size_t e = out.row_begin[r]; e < out.row_begin[r + 1]; ++e) {
      const std::size_t column = out.column[e];
      taken[by.colours[by.by_rows ? r : column]].push_back({e, by.by_rows ? column : r});
    }
  }
  return taken;
}

// A product with a seed for each colour, put where the pattern says that its elements belong.
void fill(const Replay& replay, Var y, Var x, const Compression& by, SparseJacobian& out) {
  Tape& tape = replay.tape();
  const Tape::Mark before = tape.mark();
  const Var along = by.by_rows ? y : x;
  const Var seed = tape.input("seed", along.shape(), along.dtype());
  Compiled program(replay, {by.by_rows ? vjp(y, x, seed) : jvp(y, x, seed)}, {&seed, 1});
  out.values =
      Tensor::zeros({static_cast<std::int64_t>(out.column.size())}, by.by_rows ? x.dtype() : y.dtype());
  out.passes = by.count;
  const std::vector<std::vector<Taken>> taken = sorted(out, by);
  std::vector<std::vector<std::size_t>> members(by.count);
  for (std::size_t k = 0; k < by.colours.size(); ++k) members[by.colours[k]].push_back(k);
  std::vector<double> product(by.by_rows ? x.shape().numel() : y.shape().numel());
  Tensor& seeds = program.input(replay.inputs().size());
  for (std::size_t colour = 0; colour < by.count; ++colour) {
    for (std::size_t k : members[colour]) set_element(seeds, k, 1);
    read_elements(program.run()[0], product);
    for (const Taken& entry : taken[colour]) set_element(out.values, entry.e, product[entry.from]);
    for (std::size_t k : members[colour]) set_element(seeds, k, 0);
  }
  tape.rewind(before);
}

SparseJacobian compressed(const Replay& replay, Var y, Var x) {
  auto found = compressed_jacobian(replay, y, x, std::numeric_limits<std::size_t>::max());
  if (found) return std::move(*found);
  throw GraphError("sparse_jacobian: the pattern of d " + describe(y) + " / d " + describe(x) +
                   " has too many entries; use jacobian(), or products with vjp() and jvp()");
}

}  // namespace

std::optional<SparseJacobian> compressed_jacobian(const Replay& replay, Var y, Var x, std::size_t most) {
  std::vector<Feed> feeds;
  for (std::size_t k = 0; k < replay.inputs().size(); ++k) {
    feeds.emplace_back(replay.inputs()[k], replay.at()[k]);
  }
  const std::optional<Sparsity> pattern = sparsity(y, x, feeds);
  if (!pattern || pattern->entries() > kMostEntries) return std::nullopt;
  const std::vector<Compression> ways = compress(*pattern, most);
  SparseJacobian out{pattern->rows(), pattern->columns, {0}, {}, {}, 0};
  for (std::size_t r = 0; r < pattern->rows(); ++r) {
    out.column.insert(out.column.end(), pattern->row(r).begin(), pattern->row(r).end());
    out.row_begin.push_back(out.column.size());
  }
  for (const Compression& way : ways) {
    const Tape::Mark before = replay.tape().mark();
    try {
      fill(replay, y, x, way, out);
      return out;
    } catch (const GraphError&) {  // an op on the way has no rule in this mode
      replay.tape().rewind(before);
      if (&way == &ways.back()) throw;
    }
  }
  return std::nullopt;
}

Tensor SparseJacobian::dense() const {
  Tensor out =
      Tensor::zeros({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}, values.dtype());
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t e = row_begin[r]; e < row_begin[r + 1]; ++e) {
      set_element(out, r * columns + column[e], values.at(e));
    }
  }
  return out;
}

SparseJacobian sparse_jacobian(Var y, Var x, const ValueOptions& options) {
  const Replay replay({&y, 1}, {&x, 1}, options, Replay::Precision::recorded);
  return compressed(replay, replay.roots()[0], replay.inputs()[0]);
}

SparseJacobian sparse_hessian(Var y, Var x, const ValueOptions& options) {
  const Replay replay({&y, 1}, {&x, 1}, options, Replay::Precision::recorded);
  const Var at = replay.inputs()[0];
  return compressed(replay, grad(replay.roots()[0], at), at);
}

}  // namespace backdrop
