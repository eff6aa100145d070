#include <algorithm>
#include <backdrop/core/op.hpp>
#include <cmath>
#include <optional>

#include "checking.hpp"

namespace backdrop::checking {

namespace {

bool near(double a, double b, double relative = 1e-4) {
  return std::fabs(a - b) <= relative * std::max(std::fabs(a), std::fabs(b));
}

std::string text(double number) { return fmt::format("{:.6g}", number); }

// analytic / numeric where it is the same for every entry that failed.
std::optional<double> common_ratio(const Dense& d) {
  std::optional<double> ratio;
  std::size_t failed = 0, right = 0;
  for (std::size_t e = 0; e < d.verdicts.size(); ++e) {
    if (d.verdicts[e] == Verdict::pass && d.analytic[e] != 0) ++right;
    if (d.verdicts[e] != Verdict::fail) continue;
    ++failed;
    if (d.numeric[e] == 0 || !std::isfinite(d.numeric[e]) || !std::isfinite(d.analytic[e])) return {};
    const double r = d.analytic[e] / d.numeric[e];
    if (ratio && !near(r, *ratio) && std::fabs(r - *ratio) > 1e-6) return {};
    if (!ratio) ratio = r;
  }
  if (failed == 1 && right > 0) return {};  // one entry makes no pattern
  return ratio;
}

std::string explain_ratio(double r, const Tape& tape) {
  if (std::fabs(r) < 1e-6) return "the analytic derivative is zero where the function changes";
  if (near(r, 1)) {
    return "analytic / numeric = 1 " + std::string(r < 1 ? "- " : "+ ") +
           fmt::format("{:.3g}", std::fabs(r - 1)) +
           " throughout: a constant is rounded, or a small term is missing";
  }
  if (near(r, -1)) return "analytic = -numeric throughout: a sign is wrong";
  for (std::size_t i = 0; i < tape.size(); ++i) {
    const Node& node = tape.node(i);
    const Where where = tape.where(node);
    const std::string at =
        std::string(node.op->name) + " at " + where.file + ":" + std::to_string(where.line);
    for (std::size_t k = 0; k < node.op->attr_count(); ++k) {
      if (node.op->attrs[k].kind != AttrKind::real) continue;
      const double v = tape.attribute(node, k).real();
      const bool is_p = std::string_view(node.op->attrs[k].name) == "p" && v > 0 && v < 1;
      if (is_p && near(r, 1 - v)) {
        return "analytic / numeric = " + text(r) + " = 1-p on all kept units (" + at +
               "): the 0/1 mask was used; use mask/(1-p)";
      }
      if (is_p && near(r, 1 / (1 - v))) {
        return "analytic / numeric = " + text(r) + " = 1/(1-p) (" + at + "): 1/(1-p) was applied twice";
      }
      if (v != 0 && v != 1 && near(r, 1 / v)) {
        return "analytic / numeric = " + text(r) + " = 1/" + node.op->attrs[k].name + ": the factor " +
               text(v) + " of " + at + " is missing";
      }
    }
  }
  return "analytic = " + text(r) + " * numeric throughout: a factor " + text(1 / r) + " is missing";
}

// Whether moving the analytic entries by `from` (entry -> entry it should have been) explains every entry.
template <class From>
bool moved(const Dense& d, From from) {
  for (std::size_t e = 0; e < d.numeric.size(); ++e) {
    const std::optional<std::size_t> other = from(e);
    if (other && !near(d.analytic[*other], d.numeric[e], 1e-6) &&
        std::fabs(d.analytic[*other] - d.numeric[e]) > 1e-9) {
      return false;
    }
  }
  return true;
}

// Whether all stands one place off along an axis of the input.
std::string explain_roll(const Dense& d, const Shape& x, std::size_t axis) {
  const std::size_t n = d.columns;
  std::size_t stride = 1;
  for (std::size_t k = axis + 1; k < x.rank(); ++k) stride *= static_cast<std::size_t>(x[k]);
  const auto extent = static_cast<std::size_t>(x[axis]);
  if (extent < 3) return "";
  for (const std::size_t by : {std::size_t{1}, extent - 1}) {
    const auto rolled = [&](std::size_t e) -> std::optional<std::size_t> {
      const std::size_t j = e % n, at = j / stride % extent, to = (at + by) % extent;
      return e - at * stride + to * stride;
    };
    if (!moved(d, rolled)) continue;
    if (x.rank() == 1) return "the entries stand one place off along the input";
    if (axis + 2 == x.rank())
      return "the rows of the derivative by the " + to_string(x) + " input stand one place off";
    return "the derivative by the " + to_string(x) + " input stands one place off along axis " +
           std::to_string(axis);
  }
  return "";
}

// Whether what is wrong is only where the derivative is 0: then another mask was used, or none.
std::string explain_mask(const Dense& d, const Tape& tape) {
  bool has_mask = false;
  for (std::size_t i = 0; i < tape.size(); ++i) has_mask = has_mask || tape.node(i).dtype == DType::mask;
  if (!has_mask) return "";
  std::size_t opened = 0, closed = 0, shut = 0;
  for (std::size_t e = 0; e < d.verdicts.size(); ++e) {
    const bool is_zero = d.analytic[e] == 0, should_be_zero = std::fabs(d.numeric[e]) < 1e-12;
    if (d.verdicts[e] != Verdict::fail) continue;
    if (is_zero == should_be_zero) ++shut;
    ++(should_be_zero ? opened : closed);
  }
  if (shut > 0 || opened == 0) return "";
  if (closed > 0) {
    return "the derivative is 0 at other units than the function: the mask is not that of the forward pass "
           "(one of another step, or drawn anew)";
  }
  return "the derivative goes through units at which the function is 0: the mask is missing, or is not that "
         "of the forward pass";
}

std::string explain_places(const Dense& d, const Shape& x) {
  if (d.blocks > 1) return "";
  const std::size_t n = d.columns;
  const auto transposed = [&](std::size_t e) -> std::optional<std::size_t> { return e % n * n + e / n; };
  if (d.rows == n && n > 1 && moved(d, transposed)) return "analytic = numeric transposed";
  if (x.rank() == 2) {
    const auto rows = static_cast<std::size_t>(x[0]), columns = static_cast<std::size_t>(x[1]);
    const auto inner = [&](std::size_t e) -> std::optional<std::size_t> {
      const std::size_t j = e % n;
      return e / n * n + j % columns * rows + j / columns;
    };
    if (rows > 1 && columns > 1 && moved(d, inner)) {
      return "the derivative by each " + to_string(x) + " input is that of its transpose";
    }
  }
  for (std::size_t axis = 0; axis < x.rank(); ++axis) {
    if (std::string found = explain_roll(d, x, axis); !found.empty()) return found;
  }
  return "";
}

std::string explain_count(const Dense& d, const Shape& y, const Shape& x) {
  const auto failed =
      static_cast<std::size_t>(std::count(d.verdicts.begin(), d.verdicts.end(), Verdict::fail));
  if (failed * 2 > d.verdicts.size()) return "";
  const std::size_t first = static_cast<std::size_t>(
      std::find(d.verdicts.begin(), d.verdicts.end(), Verdict::fail) - d.verdicts.begin());
  const std::size_t row = first / d.columns, block = row / (d.rows / d.blocks);
  return std::to_string(failed) + " of " + std::to_string(d.verdicts.size()) +
         " entries are wrong, the first for element " + std::to_string(row) + " of y " + to_string(y) +
         " and element " + std::to_string(block * d.columns + first % d.columns) + " of the input " +
         to_string(x);
}

}  // namespace

std::vector<std::string> explain(const std::vector<Dense>& jacobians, const Report& report,
                                 const Tape& tape) {
  std::vector<std::string> hints;
  const auto say = [&](std::string hint) {
    if (!hint.empty() && std::find(hints.begin(), hints.end(), hint) == hints.end()) {
      hints.push_back(std::move(hint));
    }
  };
  for (std::size_t k = 0; k < jacobians.size(); ++k) {
    const Dense& d = jacobians[k];
    if (std::find(d.verdicts.begin(), d.verdicts.end(), Verdict::fail) == d.verdicts.end()) continue;
    const Shape& x = report.inputs[k % report.inputs.size()].shape;
    const std::size_t before = hints.size();
    if (const auto ratio = common_ratio(d)) say(explain_ratio(*ratio, tape));
    say(explain_places(d, x));
    say(explain_mask(d, tape));
    if (hints.size() == before) say(explain_count(d, report.shape, x));
  }
  return hints;
}

}  // namespace backdrop::checking
