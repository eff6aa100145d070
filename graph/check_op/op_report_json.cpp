#include <backdrop/graph/check_op.hpp>

#include "json/json_report.hpp"

namespace backdrop {

using json::append_count, json::append_list, json::append_text;

std::string to_json(const OpReport& report) {
  std::string out = R"({"format": "backdrop.op_report", "version": 1, "op": )";
  append_text(out, report.op);
  out += report.passed() ? ", \"passed\": true" : ", \"passed\": false";
  out += ",\n \"laws\": ";
  append_list(out, report.laws, [&](const OpReport::Result& result) {
    out += "\n  {\"law\": ";
    append_text(out, name(result.law));
    out += ", \"cases\": ";
    append_count(out, result.cases);
    out += ", \"failed\": ";
    append_count(out, result.failed);
    out += ", \"failures\": ";
    append_list(out, result.failures, [&](const std::string& failure) { append_text(out, failure); });
    out += '}';
  });
  return out + "}\n";
}

}  // namespace backdrop
