#include "sparsity.hpp"

#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/gradient.hpp>
#include <backdrop/graph/rewrite.hpp>
#include <deque>
#include <map>
#include <memory>
#include <numeric>
#include <string>

namespace backdrop {

namespace {

using Set = std::vector<std::uint32_t>;
using Pattern = std::shared_ptr<const Sparsity>;  // none: does not depend on x

constexpr std::size_t kMostEntries = std::size_t{1} << 24;  // in the sets of one pattern
constexpr std::uint32_t kNone = 0xFFFFFFFF;

// Makes a pattern row by row from unions of sets; equal choices of sets give one set.
class Builder {
 public:
  Builder(std::size_t rows, std::size_t columns) : seen_(columns, kNone) {
    out_.columns = columns;
    out_.set_of_row.assign(rows, kNone);
  }

  // The union of sets (patterns and numbers of sets in them), as a set of its own.
  using Parts = std::vector<std::pair<const Sparsity*, std::uint32_t>>;
  std::uint32_t unite(Parts parts) {
    std::sort(parts.begin(), parts.end());
    parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
    const auto [at, fresh] = made_.try_emplace(parts, static_cast<std::uint32_t>(out_.sets.size()));
    if (!fresh) return at->second;
    Set set;
    for (const auto& [pattern, number] : parts) {
      for (std::uint32_t column : pattern->sets[number]) {
        if (seen_[column] == at->second) continue;
        seen_[column] = at->second;
        set.push_back(column);
      }
    }
    std::sort(set.begin(), set.end());
    entries_ += set.size();
    out_.sets.push_back(std::move(set));
    return at->second;
  }
  void set_row(std::size_t row, std::uint32_t set) { out_.set_of_row[row] = set; }
  bool too_large() const { return entries_ > kMostEntries; }
  Sparsity finish() { return std::move(out_); }

 private:
  Sparsity out_;
  Set seen_;  // by column: the set it was last put into
  std::map<Parts, std::uint32_t> made_;
  std::size_t entries_ = 0;
};

class Finder {
 public:
  Finder(const Tape& tape, const std::vector<Feed>& feeds) : tape_(tape), feeds_(feeds) {}

  // The pattern of node i, from those of its inputs; none when it is too large.
  std::optional<Sparsity> combine(std::size_t i, const std::vector<Pattern>& inputs, std::size_t columns) {
    const Call c = tape_.call(i);
    const std::size_t rows = c.y.shape().numel();
    merged_.clear();
    std::vector<Builder::Parts> parts(rows);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (inputs[k] != nullptr && !add(c, k, *inputs[k], parts)) return std::nullopt;
    }
    Builder out(rows, columns);
    for (std::size_t r = 0; r < rows; ++r) {
      out.set_row(r, out.unite(std::move(parts[r])));
      if (out.too_large()) return std::nullopt;
    }
    return out.finish();
  }

 private:
  // What the rows of y take over from input k.
  bool add(const Call& c, std::size_t k, const Sparsity& from, std::vector<Builder::Parts>& parts) {
    const Op& op = *c.node.op;
    switch (op.structure) {
      case Structure::diagonal:
      case Structure::identity:
        if (op.recompute != nullptr && k > 0)
          return true;  // the boundary of a checkpoint, whose value it has not
        if (from.rows() != parts.size()) {
          add_runs(c, k, from, parts);
          return true;
        }
        for (std::size_t r = 0; r < parts.size(); ++r) parts[r].emplace_back(&from, from.set_of_row[r]);
        return true;
      case Structure::selection: {
        if (from.rows() > most_exact(c.dtype(k))) return false;
        const std::optional<Tensor> sources = probe(c, k, false);
        if (!sources) {
          add_runs(c, k, from, parts);
          return true;
        }
        for (std::size_t r = 0; r < parts.size(); ++r) {
          const double source = sources->at(r);  // counted from 1
          if (source != 0)
            parts[r].emplace_back(&from, from.set_of_row[static_cast<std::size_t>(source) - 1]);
        }
        return true;
      }
      case Structure::partition: {
        if (parts.size() > most_exact(c.dtype(k))) return false;
        const std::optional<Tensor> targets = probe(c, k, true);
        if (!targets) {
          add_runs(c, k, from, parts);
          return true;
        }
        for (std::size_t j = 0; j < from.rows(); ++j) {
          const double target = targets->at(j);
          if (target != 0)
            parts[static_cast<std::size_t>(target) - 1].emplace_back(&from, from.set_of_row[j]);
        }
        return true;
      }
      default:
        add_runs(c, k, from, parts);
        return true;
    }
  }

  // Runs of y that are worked on one by one: each element of a run depends on the whole run of the input.
  void add_runs(const Call& c, std::size_t k, const Sparsity& from, std::vector<Builder::Parts>& parts) {
    const std::size_t axes = c.node.op->leading == nullptr ? 0 : c.node.op->leading(c, k);
    const std::size_t runs = Shape(c.y.shape().extents().first(axes)).numel();
    if (runs == 0) return;
    const std::size_t taken = from.rows() / runs, made = parts.size() / runs;
    Builder whole(runs, from.columns);
    for (std::size_t run = 0; run < runs; ++run) {
      Builder::Parts all;
      for (std::size_t j = run * taken; j < (run + 1) * taken; ++j)
        all.emplace_back(&from, from.set_of_row[j]);
      whole.set_row(run, whole.unite(std::move(all)));
    }
    const Sparsity& merged = merged_.emplace_back(whole.finish());
    for (std::size_t r = 0; r < parts.size(); ++r)
      parts[r].emplace_back(&merged, merged.set_of_row[r / made]);
  }

  static std::size_t most_exact(DType dtype) { return std::size_t{1} << (dtype == DType::f32 ? 24 : 53); }

  // The op's linear map in input k, or its transpose, applied to 1, 2, 3, ...: of 0s and 1s with at most one
  // 1 in each of the sums, so that the result tells where each number came from. None for an op without such
  // a rule.
  std::optional<Tensor> probe(const Call& c, std::size_t k, bool transposed) const {
    Tape alone;
    std::vector<Var> leaves;
    for (std::size_t i = 0; i < c.arity(); ++i) {
      const bool given = !is_float(c.dtype(i));  // indices
      leaves.push_back(alone.constant(given ? value(c[i], {feeds_, std::nullopt, 1})
                                            : Tensor::zeros(c.shape(i), c.dtype(i))));
    }
    const Var y = alone.record_again(tape_, c.y.index(), leaves);
    const Shape& shape = transposed ? y.shape() : leaves[k].shape();
    std::vector<double> numbers(shape.numel());
    std::iota(numbers.begin(), numbers.end(), 1.);
    const Var seed = alone.constant(Tensor::from(numbers, shape).to(c.dtype(k)));
    try {
      return value(transposed ? vjp(y, leaves[k], seed) : jvp(y, leaves[k], seed), {{}, std::nullopt, 1});
    } catch (const GraphError&) {
      return std::nullopt;
    }
  }

  const Tape& tape_;
  const std::vector<Feed>& feeds_;
  std::deque<Sparsity> merged_;  // of runs of one node's inputs
};

std::size_t longest(const Sparsity& pattern) {
  std::size_t out = 0;
  for (const Set& set : pattern.sets) out = std::max(out, set.size());
  return out;
}

std::vector<std::uint32_t> colour_columns(const Sparsity& pattern) {
  std::vector<Set> sets_of_column(pattern.columns);
  for (std::uint32_t s = 0; s < pattern.sets.size(); ++s) {
    for (std::uint32_t column : pattern.sets[s]) sets_of_column[column].push_back(s);
  }
  Set colours(pattern.columns, kNone);
  Set taken;  // by colour: the last column that may not have it
  for (std::uint32_t column = 0; column < pattern.columns; ++column) {
    for (std::uint32_t s : sets_of_column[column]) {
      for (std::uint32_t other : pattern.sets[s]) {
        if (other >= column) break;
        taken[colours[other]] = column;
      }
    }
    const auto free = std::find_if(taken.begin(), taken.end(), [&](auto by) { return by != column; });
    colours[column] = static_cast<std::uint32_t>(free - taken.begin());
    if (free == taken.end()) taken.push_back(kNone);
  }
  return colours;
}

Sparsity identity(std::size_t n) {
  Sparsity out{n, Set(n), std::vector<Set>(n)};
  for (std::uint32_t j = 0; j < n; ++j) {
    out.set_of_row[j] = j;
    out.sets[j] = {j};
  }
  return out;
}

}  // namespace

Sparsity Sparsity::transposed() const {
  // Rows of one set are alike, and so the columns need to be told apart only by the sets that hold them.
  std::vector<Set> rows_of_set(sets.size());
  for (std::uint32_t r = 0; r < rows(); ++r) rows_of_set[set_of_row[r]].push_back(r);
  Sparsity out{rows(), Set(columns), std::vector<Set>(columns)};
  for (std::uint32_t s = 0; s < sets.size(); ++s) {
    for (std::uint32_t column : sets[s]) {
      Set& to = out.sets[column];
      to.insert(to.end(), rows_of_set[s].begin(), rows_of_set[s].end());
    }
  }
  for (std::uint32_t column = 0; column < columns; ++column) {
    out.set_of_row[column] = column;
    std::sort(out.sets[column].begin(), out.sets[column].end());
  }
  return out;
}

std::size_t Sparsity::entries() const {
  std::size_t sum = 0;
  for (std::uint32_t set : set_of_row) sum += sets[set].size();
  return sum;
}

std::optional<Sparsity> sparsity(Var y, Var x, const std::vector<Feed>& feeds) {
  const Rewrite opened = expand(y.tape());
  const Tape& tape = opened.tape();
  const std::size_t from = opened(x).index(), to = opened(y).index();
  const std::size_t n = x.shape().numel();
  if (from > to) return Sparsity{n, Set(y.shape().numel(), 0), {Set{}}};

  // A pattern is dropped after its last use.
  std::vector<std::size_t> last_use(to + 1, 0);
  for (std::size_t i = from; i <= to; ++i) {
    for (std::uint32_t input : tape.node(i).inputs()) last_use[input] = i;
  }
  std::vector<Pattern> patterns(to + 1);
  patterns[from] = std::make_shared<const Sparsity>(identity(n));
  Finder finder(tape, feeds);
  for (std::size_t i = from + 1; i <= to; ++i) {
    const Node& node = tape.node(i);
    std::vector<Pattern> inputs;
    for (std::uint32_t input : node.inputs()) inputs.push_back(patterns[input]);
    const bool depends = is_float(node.dtype) && std::any_of(inputs.begin(), inputs.end(),
                                                             [](const Pattern& p) { return p != nullptr; });
    if (depends) {
      std::optional<Sparsity> found = finder.combine(i, inputs, n);
      if (!found) return std::nullopt;
      patterns[i] = std::make_shared<const Sparsity>(std::move(*found));
    }
    for (std::uint32_t input : node.inputs()) {
      if (last_use[input] == i && input != to) patterns[input] = nullptr;
    }
  }
  if (patterns[to] == nullptr) return Sparsity{n, Set(y.shape().numel(), 0), {Set{}}};
  return *patterns[to];
}

std::vector<Compression> compress(const Sparsity& pattern, std::size_t most) {
  std::vector<std::size_t> in_column(pattern.columns), rows_of_set(pattern.sets.size());
  for (std::uint32_t set : pattern.set_of_row) ++rows_of_set[set];
  for (std::size_t s = 0; s < pattern.sets.size(); ++s) {
    for (std::uint32_t column : pattern.sets[s]) in_column[column] += rows_of_set[s];
  }
  // No fewer colours are possible.
  const std::size_t for_columns = longest(pattern);
  const std::size_t for_rows = in_column.empty() ? 0 : *std::max_element(in_column.begin(), in_column.end());
  const bool rows_first = for_rows < for_columns;
  std::vector<Compression> out;
  for (const bool rows : {rows_first, !rows_first}) {
    if ((rows ? for_rows : for_columns) > most) continue;
    Compression found{rows, colour_columns(rows ? pattern.transposed() : pattern), 0};
    for (std::uint32_t colour : found.colours) found.count = std::max<std::size_t>(found.count, colour + 1);
    if (found.count <= most) out.push_back(std::move(found));
  }
  return out;
}

}  // namespace backdrop
