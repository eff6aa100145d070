#include <fmt/format.h>

#include <algorithm>
#include <backdrop/graph/gradcheck.hpp>
#include <cmath>
#include <iterator>
#include <numeric>
#include <ostream>

namespace backdrop {

namespace {

std::string number(double x) { return fmt::format("{:.10g}", x == 0 ? 0. : x); }

std::string error(double x) { return x == 0 ? "0" : fmt::format("{:.0e}", x); }

std::string plural(std::size_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// [1, 2] for element 6 of shape [3, 4].
std::string position(std::size_t flat, const Shape& shape) {
  std::string out;
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(shape[axis]);
    out = std::to_string(flat % extent) + (out.empty() ? "" : ", ") + out;
    flat /= extent;
  }
  return out.empty() ? "" : "[" + out + "]";
}

std::string derivative(const Report& report, const Report::Entry& entry) {
  if (report.mode == CheckMode::directional || report.mode == CheckMode::dot_product) {
    return fmt::format("direction {}", entry.row);
  }
  const Report::Input& input = report.inputs[entry.input];
  const std::string x = "d " + input.name + position(entry.column, input.shape);
  if (report.mode == CheckMode::second_order) return fmt::format("d gradient[{}] / {}", entry.row, x);
  return "d y" + position(entry.row, report.shape) + " / " + x;
}

std::string counts(const std::array<std::size_t, 4>& count) {
  std::string out;
  for (const Verdict v : {Verdict::pass, Verdict::fail, Verdict::kink, Verdict::inconclusive}) {
    const std::size_t c = count[static_cast<std::size_t>(v)];
    if (c > 0) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", c, name(v));
  }
  const std::size_t failed = count[static_cast<std::size_t>(Verdict::fail)];
  const std::size_t all = std::accumulate(count.begin(), count.end(), std::size_t{0});
  if (failed > 0)
    out += fmt::format(" ({:.3g}% wrong)", 100. * static_cast<double>(failed) / static_cast<double>(all));
  return out.empty() ? "nothing to check" : out;
}

void print_entries(std::string& out, const Report& report) {
  const auto to = std::back_inserter(out);
  const bool dot = report.mode == CheckMode::dot_product;
  for (const Report::Entry& e : report.worst) {
    if (e.verdict == Verdict::pass) continue;
    fmt::format_to(to, "  {:<12} {}: {} {}, {} {} +- {}\n", name(e.verdict), derivative(report, e),
                   dot ? "<J' g, t>" : "analytic", number(e.analytic), dot ? "<g, J t>" : "numeric",
                   number(e.numeric), error(e.error));
  }
}

void print_trends(std::string& out, const Report& report) {
  const auto to = std::back_inserter(out);
  for (const Report::Trend& t : report.trends) {
    const char* what = t.order == 1 ? "|y(x+hd) - y - h J d|" : "|y(x+hd) - y - h J d - h^2/2 d'Hd|";
    if (t.verdict == Verdict::inconclusive && t.linear) {
      fmt::format_to(to, "  {:<12} {} is 0 to rounding, but so is h J d\n", name(t.verdict), what);
    } else if (t.remainders.empty() && !t.linear) {
      fmt::format_to(to, "  {:<12} {} is not finite\n", name(t.verdict), what);
    } else if (t.linear) {
      fmt::format_to(to, "  {:<12} {} is 0 to rounding: {}\n", name(t.verdict), what,
                     t.order == 1 ? "linear along d" : "quadratic along d");
    } else {
      fmt::format_to(to, "  {:<12} {} falls as h^{:.1f}; right is h^{}\n", name(t.verdict), what, t.rate,
                     t.order + 1);
    }
  }
}

}  // namespace

std::string_view name(CheckMode mode) {
  constexpr std::string_view kNames[] = {"full", "directional", "taylor", "dot_product", "second_order"};
  return kNames[static_cast<std::size_t>(mode)];
}

std::string_view name(Verdict verdict) {
  constexpr std::string_view kNames[] = {"pass", "fail", "kink", "inconclusive"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::size_t Report::count(Verdict verdict) const {
  std::size_t total = 0;
  for (const Input& input : inputs) total += input.count[static_cast<std::size_t>(verdict)];
  return total;
}

std::string to_string(const Report& report) {
  std::string out;
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "gradcheck of {}, {}: {}\n", report.subject, name(report.mode),
                 report.passed()           ? "passed"
                 : report.exit_code() == 1 ? "FAILED"
                                           : "INCONCLUSIVE");
  if (!report.no_function.empty()) {
    fmt::format_to(to, "  this is no function: {}\n  again: {}\n", report.no_function, report.again);
    return out;
  }
  if (report.mode == CheckMode::full || report.mode == CheckMode::second_order) {
    for (const Report::Input& input : report.inputs) {
      fmt::format_to(to, "  {} {}: {}\n", input.name, to_string(input.shape), counts(input.count));
    }
  } else if (report.mode != CheckMode::taylor) {
    fmt::format_to(to, "  directions: {}\n",
                   counts(report.inputs.empty() ? std::array<std::size_t, 4>{} : report.inputs[0].count));
  }
  print_entries(out, report);
  print_trends(out, report);
  for (const std::string& hint : report.hints) fmt::format_to(to, "  hint: {}\n", hint);
  if (!report.guilty.empty()) fmt::format_to(to, "  first wrong node: {}\n", report.guilty);
  if (!report.passed()) fmt::format_to(to, "  again: {}\n", report.again);
  return out;
}

std::ostream& operator<<(std::ostream& out, const Report& report) { return out << to_string(report); }
std::ostream& operator<<(std::ostream& out, const FusedVsComposed& table) { return out << to_string(table); }

std::string to_string(const FusedVsComposed& table) {
  constexpr std::size_t kShown = 40;
  std::vector<std::array<std::string, 5>> lines{{"entry", "finite difference", "composed", "fused", ""}};
  for (const FusedVsComposed::Row& row : table.rows) {
    if (lines.size() > kShown && row.agree) continue;
    lines.push_back({fmt::format("dy[{}]/d{}[{}]", row.row, table.inputs[row.input], row.column),
                     fmt::format("{} +- {}", number(row.difference), error(row.error)), number(row.composed),
                     number(row.fused), row.agree ? "" : "  DIFFERENT"});
  }
  std::array<std::size_t, 5> width{};
  for (const auto& line : lines) {
    for (std::size_t k = 0; k < line.size(); ++k) width[k] = std::max(width[k], line[k].size());
  }
  std::string out;
  const auto to = std::back_inserter(out);
  for (const auto& line : lines) {
    fmt::format_to(to, "{:<{}} | {:>{}} | {:>{}} | {:>{}}{}\n", line[0], width[0], line[1], width[1], line[2],
                   width[2], line[3], width[3], line[4]);
  }
  if (lines.size() - 1 < table.rows.size()) {
    fmt::format_to(to, "... and {} more that agree\n", table.rows.size() - (lines.size() - 1));
  }
  const auto agree = static_cast<std::size_t>(
      std::count_if(table.rows.begin(), table.rows.end(), [](const auto& row) { return row.agree; }));
  const std::string how = table.exact ? "bit for bit" : fmt::format("within {:g} epsilon", table.tolerance);
  const auto is = [](bool equal) { return equal ? "yes" : "NO"; };
  fmt::format_to(to, "{}: {} of {} agree{}\n", table.subject, agree,
                 plural(table.rows.size(), "entry", "entries"),
                 table.diagonal ? "; off the diagonal all are 0" : "");
  fmt::format_to(to, "fused = composed {}: values {}, vjp {}, jvp {}: {}\n", how, is(table.values_equal),
                 is(table.reverse_equal), is(table.forward_equal), table.passed() ? "passed" : "FAILED");
  return out;
}

}  // namespace backdrop
