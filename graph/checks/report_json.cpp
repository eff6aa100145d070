#include <algorithm>
#include <backdrop/graph/gradcheck.hpp>
#include <cmath>
#include <functional>
#include <utility>

#include "json/json_report.hpp"

namespace backdrop {

namespace {

using json::append_count, json::append_integer, json::append_list, json::append_real, json::append_text;

void append_shape(std::string& out, const Shape& shape) {
  append_list(out, shape.extents(), [&](std::int64_t extent) { append_integer(out, extent); });
}

void append_counts(std::string& out, const std::function<std::size_t(Verdict)>& count) {
  out += '{';
  for (const Verdict v : {Verdict::pass, Verdict::fail, Verdict::kink, Verdict::inconclusive}) {
    if (v != Verdict::pass) out += ", ";
    append_text(out, name(v));
    out += ": ";
    append_count(out, count(v));
  }
  out += '}';
}

void append_input(std::string& out, const Report::Input& input) {
  out += "{\"name\": ";
  append_text(out, input.name);
  out += ", \"shape\": ";
  append_shape(out, input.shape);
  out += ", \"entries\": ";
  append_counts(out, [&](Verdict v) { return input.count[static_cast<std::size_t>(v)]; });
  out += '}';
}

void append_entry(std::string& out, const Report::Entry& entry) {
  const double size = std::max(std::abs(entry.analytic), std::abs(entry.numeric));
  const double gap = std::abs(entry.analytic - entry.numeric);
  out += "{\"verdict\": ";
  append_text(out, name(entry.verdict));
  out += ", \"input\": ";
  append_count(out, entry.input);
  out += ", \"row\": ";
  append_count(out, entry.row);
  out += ", \"column\": ";
  append_count(out, entry.column);
  const std::pair<const char*, double> numbers[] = {{"analytic", entry.analytic},
                                                    {"numeric", entry.numeric},
                                                    {"error_estimate", entry.error},
                                                    {"relative_error", size == 0 ? 0 : gap / size}};
  for (const auto& [key, number] : numbers) {
    ((out += ", \"") += key) += "\": ";
    append_real(out, number);
  }
  out += '}';
}

void append_trend(std::string& out, const Report::Trend& trend) {
  out += "{\"verdict\": ";
  append_text(out, name(trend.verdict));
  out += ", \"order\": ";
  append_integer(out, trend.order);
  out += ", \"rate\": ";
  append_real(out, trend.rate);
  out += trend.linear ? ", \"linear\": true" : ", \"linear\": false";
  const auto append = [&](double number) { append_real(out, number); };
  out += ", \"steps\": ";
  append_list(out, trend.steps, append);
  out += ", \"remainders\": ";
  append_list(out, trend.remainders, append);
  out += '}';
}

}  // namespace

std::string to_json(const Report& report) {
  std::string out = R"({"format": "backdrop.report", "version": 1, "mode": )";
  append_text(out, name(report.mode));
  out += report.passed() ? ", \"passed\": true" : ", \"passed\": false";
  out += ", \"subject\": ";
  append_text(out, report.subject);
  out += ", \"shape\": ";
  append_shape(out, report.shape);
  out += ", \"entries\": ";
  append_counts(out, [&](Verdict v) { return report.count(v); });
  out += ", \"evaluations\": ";
  append_count(out, report.evaluations);
  out += ",\n \"inputs\": ";
  append_list(out, report.inputs, [&](const Report::Input& input) { append_input(out, input); });
  out += ",\n \"worst\": ";
  append_list(out, report.worst, [&](const Report::Entry& entry) { append_entry(out, entry); });
  out += ",\n \"trends\": ";
  append_list(out, report.trends, [&](const Report::Trend& trend) { append_trend(out, trend); });
  out += ",\n \"hints\": ";
  append_list(out, report.hints, [&](const std::string& hint) { append_text(out, hint); });
  out += ",\n \"first_wrong_node\": ";
  append_text(out, report.guilty);
  out += ", \"no_function\": ";
  append_text(out, report.no_function);
  out += ", \"again\": ";
  append_text(out, report.again);
  return out + "}\n";
}

}  // namespace backdrop
