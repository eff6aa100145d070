#include <algorithm>
#include <backdrop/core/error.hpp>
#include <backdrop/core/op.hpp>
#include <backdrop/graph/gradcheck.hpp>
#include <cmath>

#include "checks/difference_jacobian.hpp"

namespace backdrop {

namespace {

// The node and its body side by side on a tape of their own, every float input a leaf of its own.
struct SideBySide {
  Tape tape;
  std::vector<Var> inputs;      // the float ones
  std::vector<std::size_t> at;  // which inputs of the op they are
  std::vector<Tensor> values;
  Var fused, composed;
};

void set_side_by_side(SideBySide& out, Var node, const ValueOptions& options) {
  const Call c = node.tape().call(node.index());
  std::vector<Var> arguments;
  for (std::size_t k = 0; k < c.arity(); ++k) arguments.push_back(c[k]);
  const std::vector<Tensor> values = value(arguments, options);
  std::vector<Var> leaves;
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (is_float(values[k].dtype())) {
      leaves.push_back(out.tape.input(std::to_string(k), values[k].shape(), values[k].dtype()));
      out.inputs.push_back(leaves.back());
      out.at.push_back(k);
      out.values.push_back(values[k]);
    } else {
      leaves.push_back(out.tape.constant(values[k]));
    }
  }
  out.fused = out.tape.record_again(node.tape(), node.index(), leaves);
  out.composed = c.node.op->body(out.tape.call(out.fused.index()));
}

bool close(double a, double b, double tolerance, double size) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::fabs(a - b) <= tolerance * std::max({std::fabs(a), std::fabs(b), size});
}

// Equal bits where the op promises them, else within its tolerance of the largest element.
bool equal(const Tensor& a, const Tensor& b, bool exact, double tolerance) {
  if (exact) return a.same_bits(b);
  double size = 0;
  for (std::size_t i = 0; i < a.numel(); ++i) {
    if (std::isfinite(a.at(i))) size = std::max(size, std::fabs(a.at(i)));
  }
  for (std::size_t i = 0; i < a.numel(); ++i) {
    if (!close(a.at(i), b.at(i), tolerance, size)) return false;
  }
  return true;
}

bool all_equal(const std::vector<Tensor>& a, const std::vector<Tensor>& b, bool exact, double tolerance) {
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (!equal(a[k], b[k], exact, tolerance)) return false;
  }
  return true;
}

// Zero off the diagonal in all three columns.
bool is_diagonal(const FusedVsComposed& table, const std::vector<Tensor>& jacobians) {
  for (const Tensor& j : jacobians) {
    if (j.shape()[0] != j.shape()[1]) return false;
  }
  return std::all_of(table.rows.begin(), table.rows.end(), [](const FusedVsComposed::Row& row) {
    return row.row == row.column || (row.difference == 0 && row.composed == 0 && row.fused == 0);
  });
}

// The body in f64, by differences: one estimate for each entry of [rows, columns] of each input.
std::vector<std::vector<Estimate>> differences(const SideBySide& both, const ValueOptions& at) {
  const Replay replay({&both.composed, 1}, both.inputs, at, Replay::Precision::f64);
  return checking::difference_jacobians(replay, replay.roots()[0]);
}

}  // namespace

FusedVsComposed fused_vs_composed(Var node, const ValueOptions& options) {
  const Op& op = *node.tape().node(node).op;
  if (op.body == nullptr) {
    throw GraphError(std::string("fused_vs_composed: ") + op.name + " is a primitive; it has no body");
  }
  SideBySide both;
  set_side_by_side(both, node, options);
  FusedVsComposed out;
  out.subject = std::string(op.name) + " at " + node.tape().where(node.tape().node(node)).file + ":" +
                std::to_string(node.tape().where(node.tape().node(node)).line);
  out.exact = op.exact;
  out.tolerance = op.tolerance;
  if (both.inputs.empty()) return out;

  ValueOptions at;
  at.step = options.step;
  for (std::size_t k = 0; k < both.inputs.size(); ++k) {
    at.feeds.emplace_back(both.inputs[k], both.values[k]);
    const std::size_t last = op.arity() - 1;
    out.inputs.emplace_back(op.inputs[std::min(both.at[k], last)]);
  }
  const double eps = checking::epsilon(node.dtype());
  const double tolerance = op.tolerance * eps;
  // Nothing may fold the body back into the op.
  const Var roots[] = {both.fused, both.composed};
  const Replay replay(roots, both.inputs, at, Replay::Precision::recorded);
  const Var fused = replay.roots()[0], composed = replay.roots()[1];
  const auto rows = [&](Var y) { return jacobians_by_rows(replay, y, replay.inputs(), {.optimize = false}); };
  const auto columns = [&](Var y) {
    return jacobians_by_columns(replay, y, replay.inputs(), {.optimize = false});
  };
  {
    const Compiled program(replay, {fused, composed}, {}, false);
    const Outputs run = program.run();
    out.values_equal = equal(run[0], run[1], op.exact, tolerance);
  }
  out.forward_equal = all_equal(columns(fused), columns(composed), op.exact, tolerance);
  const std::vector<Tensor> by_fused = rows(fused), by_composed = rows(composed);
  out.reverse_equal = all_equal(by_fused, by_composed, op.exact, tolerance);

  const std::vector<std::vector<Estimate>> numeric = differences(both, at);
  for (std::size_t k = 0; k < by_fused.size(); ++k) {
    const auto n = static_cast<std::size_t>(by_fused[k].shape()[1]);
    double size = 0;
    for (std::size_t e = 0; e < by_fused[k].numel(); ++e) {
      if (std::isfinite(by_composed[k].at(e))) size = std::max(size, std::fabs(by_composed[k].at(e)));
    }
    for (std::size_t e = 0; e < by_fused[k].numel(); ++e) {
      FusedVsComposed::Row row{k,
                               e / n,
                               e % n,
                               numeric[k][e].value,
                               numeric[k][e].error,
                               by_composed[k].at(e),
                               by_fused[k].at(e),
                               false};
      const bool flat = numeric[k][e].flat && row.composed == 0;
      if (flat) row.error = 0;
      const double rounding =
          op.exact ? 4 * eps * std::fabs(row.composed) : std::max(tolerance, 16 * eps) * size;
      const bool seen = flat || std::fabs(row.difference - row.composed) <= 5 * row.error + rounding;
      row.agree = seen && (op.exact ? std::signbit(row.composed) == std::signbit(row.fused) &&
                                          row.composed == row.fused
                                    : close(row.composed, row.fused, tolerance, size));
      out.rows.push_back(row);
    }
  }
  out.diagonal = op.structure == Structure::diagonal && is_diagonal(out, by_fused);
  if (out.diagonal) {
    std::erase_if(out.rows, [](const FusedVsComposed::Row& row) { return row.row != row.column; });
  }
  return out;
}

bool FusedVsComposed::passed() const {
  return values_equal && reverse_equal && forward_equal &&
         std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.agree; });
}

}  // namespace backdrop
