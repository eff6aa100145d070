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
  for (const std::size_t by : {std::size_t{1}, n - 1}) {
    const auto shifted = [&](std::size_t e) -> std::optional<std::size_t> {
      return e / n * n + (e % n + by) % n;
    };
    if (n > 2 && moved(d, shifted)) return "the entries stand one place off along the input";
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
    if (hints.size() == before) say(explain_count(d, report.shape, x));
  }
  return hints;
}

}  // namespace backdrop::checking
